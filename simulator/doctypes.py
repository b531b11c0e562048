"""Document types and classes of a library, and the type for each extension."""

from __future__ import annotations

from collections.abc import Collection

TYPES = (
    ("WORDX", "WORD 2007", "docx"),
    ("WORD", "WORD 97-2003", "doc"),
    ("EXCELX", "EXCEL 2007", "xlsx"),
    ("EXCEL", "EXCEL 97-2003", "xls"),
    ("PPTX", "POWERPOINT 2007", "pptx"),
    ("PPT", "POWERPOINT 97-2003", "ppt"),
    ("ACROBAT", "Adobe Acrobat Reader", "pdf"),
    ("MIME", "E-mail", "msg"),
    ("ANSI", "ASCII Text", "txt"),
    ("HTML", "HTML", "html"),
    ("XML", "XML", "xml"),
    ("TIFF", "TIFF image", "tif"),
    ("JPEG", "JPEG image", "jpg"),
    ("GIF", "GIF image", "gif"),
    ("PNG", "PNG image", "png"),
    ("BMP", "Bitmap", "bmp"),
    ("URL", "Internet shortcut", "url"),
    ("WAV", "Sound", "wav"),
    ("WMV", "Video", "wmv"),
    ("UNKNOWN", "Unknown", ""),
)
EXTENSION_OF = {code: extension for code, _, extension in TYPES}
DESCRIPTION_OF = {code: description for code, description, _ in TYPES}
_TYPE_OF = {extension: code for code, _, extension in TYPES} | {"eml": "MIME"}
FIELDS_OF_FORMS = ("name", "comment", "class", "subclass", "author", "operator", "custom1", "custom2")

CLASSES = {
    "DOC": ("Document", ()),
    "AGREEMENT": ("Agreement", ("custom2",)),
    "EMAIL": ("E-mail", ()),
    "CORR": ("Correspondence", ()),
    "KNOWHOW": ("Know-how", ("comment",)),
}
SUBCLASSES = {
    "AGREEMENT": {"SPA": "Share purchase", "NDA": "Confidentiality", "LEASE": "Lease"},
    "CORR": {"LETTER": "Letter", "MEMO": "Memorandum"},
}


def type_of(extension: str, fallback: str = "UNKNOWN", missing: Collection[str] = ()) -> str:
    """The type of an extension in a library without the `missing` types; files without an extension have none."""
    found = _TYPE_OF.get(extension.lower(), "UNKNOWN")
    return fallback if found == "UNKNOWN" or found in missing else found
