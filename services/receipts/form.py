"""The form of a receipt: one line of canonical JSON (RFC 8785) with an Ed25519 signature over the rest of it.

docs/verify_receipt.py verifies it without this program.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

FORMAT = "counterpart-receipt-1"
ALGORITHM = "Ed25519"


class NotGenuineError(Exception):
    """The file is not a receipt of this installation as it was issued; the message says why."""


def public_part(key: Ed25519PrivateKey) -> str:
    return b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def sign(facts: Mapping[str, Any], key: Ed25519PrivateKey) -> bytes:
    """The receipt as a file. The facts have no floating-point numbers, and ASCII keys only."""
    signature = {"algorithm": ALGORITHM, "public_key": public_part(key)}
    value = key.sign(_canonical({**facts, "format": FORMAT, "signature": signature}))
    signature["value"] = b64encode(value).decode()
    return _canonical({**facts, "format": FORMAT, "signature": signature}) + b"\n"


def verify(file: bytes, public_keys: Collection[str]) -> dict[str, Any]:
    """The facts of a receipt that one of these keys signed. Raises NotGenuineError."""
    try:
        receipt = json.loads(file)
        stated = receipt["signature"]
        signature = b64decode(stated.pop("value"), validate=True)
        signed = _canonical(receipt)
        stated["value"] = b64encode(signature).decode()
        is_whole = _canonical(receipt) + b"\n" == file
        form, algorithm, key = receipt["format"], stated["algorithm"], stated["public_key"]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise NotGenuineError("This file is not a receipt, or it has been changed.") from None
    if (form, algorithm) != (FORMAT, ALGORITHM):
        raise NotGenuineError("This receipt has a format that is not known here.")
    if key not in public_keys:
        raise NotGenuineError("This receipt was not signed with a key of this installation.")
    try:
        Ed25519PublicKey.from_public_bytes(b64decode(key)).verify(signature, signed)
    except InvalidSignature:
        is_whole = False
    if not is_whole:
        raise NotGenuineError("This receipt has been changed since it was issued.")
    return {name: value for name, value in receipt.items() if name != "signature"}


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
