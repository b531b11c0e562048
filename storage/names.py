"""Addresses: from a SHA-256 to a key and back. Nothing but 64 hexadecimal digits ever becomes a path."""

import hashlib
import re

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_KEY = re.compile(r"(?:.*/)?sha256/([0-9a-f]{2})/([0-9a-f]{62})\Z")


def checked(sha256: str) -> str:
    """The same address, or ValueError."""
    if not _SHA256.match(sha256):
        raise ValueError("a blob's address is 64 lower-case hexadecimal digits")
    return sha256


def key_of(sha256: str) -> str:
    """`sha256/ab/cdef…`: two digits spread the blobs over 256 folders."""
    checked(sha256)
    return f"sha256/{sha256[:2]}/{sha256[2:]}"


def address_of(key: str) -> str | None:
    """The address that a key stands for, or None for a stranger's file."""
    match = _KEY.match(key)
    return match[1] + match[2] if match else None


def partial_name(token: str) -> str:
    """A file name for a token: always the same, and safe whatever the token holds."""
    return f"{hashlib.sha256(token.encode()).hexdigest()[:40]}.part"
