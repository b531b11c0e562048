"""The package that on-premise iManage takes an application from: `manifest.zip` with one `manifest.yaml` in it."""

from __future__ import annotations

import io
import secrets
import zipfile
from dataclasses import dataclass, field
from datetime import datetime

FILE_NAME = "manifest.zip"
INSIDE = "manifest.yaml"
VERSION = "2"
KEY_BYTES = 16


@dataclass(frozen=True)
class Manifest:
    """What iManage is told about this installation. Every value is text, however much it looks like a number."""

    id: str
    name: str
    api_key: str
    api_secret: str = field(repr=False)
    publisher: str
    organization: str
    redirect_url: str

    def lines(self) -> tuple[tuple[str, str], ...]:
        """Keys and values in the order in which they stand in the file."""
        return (
            ("id", self.id),
            ("name", self.name),
            ("api_key", self.api_key),
            ("api_secret", self.api_secret),
            ("publisher", self.publisher),
            ("organization", self.organization),
            ("version", VERSION),
            ("redirect_url", self.redirect_url),
        )


def new_key() -> str:
    """32 hexadecimal digits that nobody can guess."""
    return secrets.token_hex(KEY_BYTES)


def as_yaml(manifest: Manifest) -> str:
    """Single quotes around every value: no reader takes 12345, 1e5, yes or null in them for anything but text."""
    return "".join(f"{key}: {_quoted(value)}\n" for key, value in manifest.lines())


def as_zip(manifest: Manifest, made_at: datetime) -> bytes:
    """Exactly one file, at the top."""
    entry = zipfile.ZipInfo(INSIDE, made_at.timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(entry, as_yaml(manifest).encode())
    return out.getvalue()


def _quoted(value: str) -> str:
    """In single quotes YAML knows one escape only: the quote itself, doubled. Lines must not break in them."""
    if not value.isprintable():
        raise ValueError("A value of the manifest holds a character that cannot be printed.")
    return "'" + value.replace("'", "''") + "'"
