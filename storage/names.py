"""Converts a SHA-256 to a storage key and back. Only 64 hexadecimal digits ever become a path."""

import hashlib
import re

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_KEY = re.compile(r"(?:.*/)?sha256/([0-9a-f]{2})/([0-9a-f]{62})\Z")


def validated(sha256: str) -> str:
    """The address unchanged. Raises ValueError."""
    if not _SHA256.match(sha256):
        raise ValueError("a blob's address must be 64 lower-case hexadecimal digits")
    return sha256


def key_of(sha256: str) -> str:
    """`sha256/ab/cdef…`: two digits spread the blobs over 256 folders."""
    validated(sha256)
    return f"sha256/{sha256[:2]}/{sha256[2:]}"


def address_of(key: str) -> str | None:
    """The address of a key, or None for any other file."""
    match = _KEY.match(key)
    return match[1] + match[2] if match else None


def partial_name(token: str) -> str:
    """A stable, safe file name for any token."""
    return f"{hashlib.sha256(token.encode()).hexdigest()[:40]}.part"
