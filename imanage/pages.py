"""What a person would see of a web page: its title, its first heading and its words.

Pages come from whoever answers, so they are read by libxml2, whose time grows with the length and no faster, and only
as far as LONGEST. Python's own html.parser and expressions over tags both take the square of the length.
"""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

LONGEST = 256 * 1024  # characters


@dataclass(frozen=True)
class Page:
    """Each is one line, its blanks tidied; empty where the page has none."""

    title: str = ""
    heading: str = ""
    words: str = ""


def read_page(text: str) -> Page:
    """What is shown of this HTML, however broken. An empty Page where nothing of it can be read."""
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    source = text[:LONGEST].replace("\0", " ").encode("utf-8", "replace")
    try:
        root = etree.fromstring(source, parser)
    except etree.LxmlError:
        return Page()
    if root is None:
        return Page()
    title, heading = (_words(root.find(f".//{tag}")) for tag in ("title", "h1"))
    etree.strip_elements(root, "script", "style", with_tail=False)
    return Page(title, heading, _words(root))


def _words(element: etree._Element | None) -> str:
    return "" if element is None else " ".join(" ".join(element.itertext()).split())
