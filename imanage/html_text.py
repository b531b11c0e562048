"""The visible text of a web page: title, first heading and body.

Pages come from untrusted servers, so they are parsed by libxml2, in linear time, and only up to MAX_LENGTH. Python's
html.parser and regular expressions over tags both take quadratic time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_LENGTH = 256 * 1024  # characters


@dataclass(frozen=True)
class Page:
    """Each is one line with whitespace collapsed; empty if the page has none."""

    title: str = ""
    heading: str = ""
    words: str = ""


def read_page(text: str) -> Page:
    """Parse HTML, however broken. An empty Page if nothing can be read."""
    from lxml import etree  # an idle process does without it

    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    source = text[:MAX_LENGTH].replace("\0", " ").encode("utf-8", "replace")
    try:
        root = etree.fromstring(source, parser)
    except etree.LxmlError:
        return Page()
    if root is None:
        return Page()
    title, heading = (_words(root.find(f".//{tag}")) for tag in ("title", "h1"))
    etree.strip_elements(root, "script", "style", with_tail=False)
    return Page(title, heading, _words(root))


def _words(element: _Element | None) -> str:
    return "" if element is None else " ".join(" ".join(element.itertext()).split())
