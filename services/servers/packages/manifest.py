"""The application package for on-premise iManage: `manifest.zip`, which contains `manifest.yaml`."""

from __future__ import annotations

import io
import secrets
import zipfile
from dataclasses import asdict, dataclass, field
from datetime import datetime

FILE_NAME = "manifest.zip"
MEMBER_NAME = "manifest.yaml"
VERSION = "2"
KEY_BYTES = 16


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The content of the manifest, in its order. Every value is text, even one that looks like a number."""

    id: str
    name: str
    api_key: str
    api_secret: str = field(repr=False)
    publisher: str
    organization: str
    version: str = VERSION
    redirect_url: str


def new_key() -> str:
    """32 random hexadecimal digits."""
    return secrets.token_hex(KEY_BYTES)


def as_yaml(manifest: Manifest) -> str:
    """YAML with every value in single quotes, so that 12345, 1e5, yes or null stay text."""
    return "".join(f"{key}: {_quoted(value)}\n" for key, value in asdict(manifest).items())


def as_zip(manifest: Manifest, made_at: datetime) -> bytes:
    """A zip with one file at the top level."""
    entry = zipfile.ZipInfo(MEMBER_NAME, made_at.timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(entry, as_yaml(manifest).encode())
    return out.getvalue()


def _quoted(value: str) -> str:
    """Single-quoted YAML, where the only escape is a doubled quote; raises ValueError for line breaks and the like."""
    if not value.isprintable():
        raise ValueError("A value of the manifest contains an unprintable character.")
    return "'" + value.replace("'", "''") + "'"
