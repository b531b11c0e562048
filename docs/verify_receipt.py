#!/usr/bin/env python3
"""Verifies a Counterpart receipt offline, with Python 3.9 or later and nothing else.

    python3 verify_receipt.py RECEIPT.json [--keys receipt-keys.json] [--file DOCUMENT]

--keys: the firm's public keys, from https://COUNTERPART/receipt-keys.json. Without them, compare the key that is
printed with the one that the firm gives you: only that tells who signed. --file: the document that the receipt is of.
The signature is Ed25519 (RFC 8032) of the receipt without signature.value, as canonical JSON (RFC 8785).
"""

import argparse
import base64
import hashlib
import json
import sys
from pathlib import Path

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def point(data):
    """A point of the curve from its 32 bytes, in extended coordinates (X, Y, Z, T)."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * ROOT % P
    if y >= P or x * x % P != square or (x == 0 and sign):
        raise ValueError("not a point of the curve")
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def add(a, b):
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(number, a):
    result = (0, 1, 1, 0)
    while number:
        result = add(result, a) if number & 1 else result
        a, number = add(a, a), number >> 1
    return result


def is_signed(public, signature, message):
    base = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
    s = int.from_bytes(signature[32:], "little")
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    a = multiply(s, base)
    b = add(point(signature[:32]), multiply(int.from_bytes(digest, "little") % ORDER, point(public)))
    is_form = len(public) == 32 and len(signature) == 64 and s < ORDER
    return is_form and (a[0] * b[2] - b[0] * a[2]) % P == 0 == (a[1] * b[2] - b[1] * a[2]) % P


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def verified(data):
    """The receipt. Raises an error if a single byte differs from what was signed."""
    receipt = json.loads(data)
    value = receipt["signature"].pop("value")
    public, signature = (base64.b64decode(each) for each in (receipt["signature"]["public_key"], value))
    message = canonical(receipt)
    receipt["signature"]["value"] = base64.b64encode(signature).decode()
    if canonical(receipt) + b"\n" != data or not is_signed(public, signature, message):
        raise ValueError("the receipt has been changed")
    return receipt


def main():
    parser = argparse.ArgumentParser(description="Verify a Counterpart receipt.")
    for name in ("receipt", "--keys", "--file"):
        parser.add_argument(name)
    given = parser.parse_args()
    try:
        receipt = verified(Path(given.receipt).read_bytes())
        key, version = receipt["signature"]["public_key"], receipt["version"]
        keys = json.loads(Path(given.keys).read_text())["keys"] if given.keys else ()
        if given.keys and key not in [each["key"] for each in keys]:
            raise ValueError("another key signed it, not the firm's")
        if given.file and hashlib.sha256(Path(given.file).read_bytes()).hexdigest() != version["sha256"]:
            raise ValueError("the document is not the one that the receipt is of")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        sys.exit(f"NOT VERIFIED: {error}")
    print(f"Verified: {receipt['document']['name']} v{version['number']}, SHA-256 {version['sha256']}")
    print(
        f"Signed with the key {key}{'' if given.keys else '. Compare it with the firm’s: no --keys given.'}"
    )


if __name__ == "__main__":
    main()
