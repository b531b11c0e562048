"""The text of a Word document, a PDF or a text file, by paragraphs.

Nothing that a file refers to is read: no external reference, no template, no macro, no entity of a DTD.
"""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO

import pypdfium2
from lxml import etree
from pypdfium2.raw import FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY

from sandbox.limits import RefusedFileError

MAX_XML = 30 << 20
"""Bytes of XML of a Word document, unpacked."""
MAX_TEXT = 4 << 20
MAX_PAGES = 2000
LONGEST = 3000
"""Characters of a paragraph; a longer one is split, so that each is quick to compare."""
SHORT_LINE = 0.6
"""A line of a PDF that is shorter than this share of the page's longest line ends a paragraph."""

OLE = bytes.fromhex("d0cf11e0a1b11ae1")
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
WORD = {
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "http://purl.oclc.org/ooxml/wordprocessingml/main",
}
NOTES = ("footnotes.xml", "endnotes.xml")
FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
RELATIONSHIP = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_SPACES = {"tab": " ", "ptab": " ", "br": " ", "cr": " ", "noBreakHyphen": "-"}
_TRACKED = {"ins", "del", "moveFrom", "moveTo"}
_LEFT_OUT = {"del", "moveFrom", "pPr", "rPr", "sectPr", "tblPr", "trPr", "tcPr"}
_HYPHEN_AT_LINE_END = "\ufffe\r\n"
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff\ufffe\x02"))
_DIRECTIONS = {each: f"[U+{each:04X}]" for each in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
"""Characters that change the order of others are named: no change can hide behind them."""


@dataclass
class Document:
    """`paragraphs` are not empty and have single spaces. `is_tracked`: tracked changes were taken as accepted."""

    paragraphs: list[str] = field(default_factory=list)
    is_tracked: bool = False

    def add(self, texts: Iterable[str]) -> None:
        for text in texts:
            self.paragraphs += _split(" ".join(text.translate(_INVISIBLE).translate(_DIRECTIONS).split()))


def read(file: IO[bytes]) -> Document:
    """Raises RefusedFileError."""
    document = Document()
    start = file.read(1024)
    file.seek(0)
    if start.startswith(b"PK"):
        _word(file, document)
    elif b"%PDF-" in start:
        _pdf(file, document)
    elif start.startswith(OLE):
        raise RefusedFileError("encrypted" if ENCRYPTED in file.read(MAX_XML) else "type")
    else:
        document.add(_plain(file).splitlines())
    return document


def open_pdf(file: IO[bytes]) -> pypdfium2.PdfDocument:
    """Raises RefusedFileError."""
    try:
        pdf = pypdfium2.PdfDocument(file)
    except pypdfium2.PdfiumError as error:
        is_locked = error.err_code in {FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY}
        raise RefusedFileError("encrypted" if is_locked else "damaged") from None
    if not len(pdf):
        raise RefusedFileError("damaged")
    return pdf


def _split(text: str) -> Iterator[str]:
    """At the end of a sentence, or else of a word."""
    while len(text) > LONGEST:
        at = max(text.rfind(end, 0, LONGEST) for end in (". ", "; ")) + 1
        at = at or text.rfind(" ", 0, LONGEST) + 1 or LONGEST
        yield text[:at].strip()
        text = text[at:].strip()
    if text:
        yield text


def _plain(file: IO[bytes]) -> str:
    data = file.read(MAX_TEXT + 1)
    if len(data) > MAX_TEXT:
        raise RefusedFileError("too_large")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    if b"\0" in data:
        raise RefusedFileError("type")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _word(file: IO[bytes], document: Document) -> None:
    """The body, then footnotes and endnotes."""
    try:
        package = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError):
        raise RefusedFileError("damaged") from None
    with package:
        _word_parts(package, document)


def _word_parts(package: zipfile.ZipFile, document: Document) -> None:
    main = _main_part(package)
    left = MAX_XML
    for name in (main, *(posixpath.join(posixpath.dirname(main), notes) for notes in NOTES)):
        if name in package.NameToInfo:
            xml = _part(package, name, left)
            left -= len(xml)
            _word_paragraphs(_parsed(xml), document)


def _main_part(package: zipfile.ZipFile) -> str:
    if "_rels/.rels" in package.NameToInfo:
        for each in _parsed(_part(package, "_rels/.rels", MAX_XML)).iter(RELATIONSHIP):
            name: str = posixpath.normpath(each.get("Target", "").lstrip("/"))
            is_main = each.get("Type", "").endswith("/officeDocument") and name.startswith("word/")
            if is_main and name in package.NameToInfo:
                return name
    raise RefusedFileError("type")


def _part(package: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Unpacks no more than `most` bytes, whatever size the archive claims."""
    try:
        with package.open(name) as part:
            data = part.read(most + 1)
    except RuntimeError:  # zipfile's error for an encrypted entry
        raise RefusedFileError("encrypted") from None
    if len(data) > most:
        raise RefusedFileError("too_large")
    return data


def _parsed(xml: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError:
        raise RefusedFileError("damaged") from None
    if root.getroottree().docinfo.doctype:  # no Office program writes one
        raise RefusedFileError("damaged")
    return root


def _word_paragraphs(root: etree._Element, document: Document) -> None:
    def visit(element: etree._Element, runs: list[str] | None) -> None:
        if not isinstance(element.tag, str) or element.tag == FALLBACK:
            return
        namespace, _, name = element.tag[1:].partition("}")
        if namespace in WORD:
            document.is_tracked |= name in _TRACKED
            if name in _LEFT_OUT:
                return
            if name == "p":  # a text box has paragraphs of its own inside a paragraph
                runs = []
                found.append(runs)
            elif runs is not None and (name == "t" or name in _SPACES):
                runs.append(_SPACES.get(name) or element.text or "")
        for child in element:
            visit(child, runs)

    found: list[list[str]] = []
    visit(root, None)
    document.add("".join(runs) for runs in found)


def _pdf(file: IO[bytes], document: Document) -> None:
    pdf = open_pdf(file)
    if len(pdf) > MAX_PAGES:
        raise RefusedFileError("too_large")
    left = MAX_TEXT
    for page in pdf:
        text = page.get_textpage().get_text_range().replace(_HYPHEN_AT_LINE_END, "")
        left -= len(text)
        if left < 0:
            raise RefusedFileError("too_large")
        document.add(_joined(text.splitlines()))
    if not document.paragraphs:
        raise RefusedFileError("no_text")


def _joined(lines: list[str]) -> Iterator[str]:
    """Lines of a page joined to paragraphs: up to one that ends a sentence or is shorter than the others."""
    widest = max(map(len, lines), default=0)
    paragraph = ""
    for line in lines:
        paragraph = f"{paragraph} {line}"
        if line.rstrip().endswith((".", ":", ";", "?", "!")) or len(line) < widest * SHORT_LINE:
            yield paragraph
            paragraph = ""
    yield paragraph
