"""A server's own CA: certificates that an admin adds, trusted for this one server beside the usual authorities.

Verification is never switched off. A certificate of a server that somebody else signed is refused: its authority is
what should be trusted, and stays when the certificate is renewed. One that signed itself vouches for nobody else.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from models import utcnow
from services.access import permissions
from services.core.actor import Actor
from services.core.errors import ConflictError, InvalidError
from services.core.unit_of_work import unit_of_work
from services.servers import registry

MOST = 10
LARGEST = 64 * 1024
SOON = timedelta(days=30)
PRIVATE_KEY = b"PRIVATE KEY"
UNREADABLE = (
    ValueError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


@dataclass(frozen=True)
class Authority:
    """One certificate of the list, as a person compares it."""

    subject: str
    issuer: str
    fingerprint: str
    not_before: datetime
    not_after: datetime
    is_authority: bool

    @property
    def is_expired(self) -> bool:
        return self.not_after < utcnow()

    @property
    def expires_soon(self) -> bool:
        return not self.is_expired and self.not_after - utcnow() < SOON


def holds_private_key(given: bytes) -> bool:
    return PRIVATE_KEY in given


def authorities(actor: Actor, server_id: uuid.UUID) -> tuple[Authority, ...]:
    """The list of one server, in the order in which it was given."""
    pem = registry.require_server(actor, server_id).ca_pem
    return tuple(map(_authority, x509.load_pem_x509_certificates(pem.encode()))) if pem else ()


def pem(actor: Actor, server_id: uuid.UUID) -> str:
    """The list as it can be changed and given again."""
    return registry.require_server(actor, server_id).ca_pem or ""


def save(actor: Actor, server_id: uuid.UUID, given: bytes, version: str) -> tuple[Authority, ...]:
    """Put a list in the place of the one before. Every connection made from now on goes by it. Raises InvalidError."""
    permissions.require_admin(actor)
    found = read(given)
    listed = tuple(map(_authority, found))
    with unit_of_work():
        row = registry.locked(server_id)
        registry.check_version(row, version)
        row.ca_pem = "".join(each.public_bytes(Encoding.PEM).decode() for each in found)
        row.changed_at = utcnow()
        registry.record(actor, "server.ca_saved", row, certificates=[_short(each) for each in listed])
    return listed


def remove(actor: Actor, server_id: uuid.UUID, version: str) -> None:
    """Trust the usual authorities alone again."""
    permissions.require_admin(actor)
    with unit_of_work():
        row = registry.locked(server_id)
        registry.check_version(row, version)
        if not row.ca_pem:
            raise ConflictError("This server has no CA of its own any more.", code="server.no_ca")
        gone = map(_authority, x509.load_pem_x509_certificates(row.ca_pem.encode()))
        row.ca_pem, row.changed_at = None, utcnow()
        registry.record(actor, "server.ca_removed", row, certificates=[_short(each) for each in gone])


def read(given: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates in what was pasted or chosen, each once. Raises InvalidError with the reason."""
    if not given.strip():
        raise _wrong("Paste a certificate, or choose a file with one.")
    if len(given) > LARGEST:
        raise _wrong("That is more than 64 kB. Leave only the certificates of your authority in it.")
    if holds_private_key(given):
        raise _wrong(
            "There is a private key in this. It was not kept, and is not needed: take it out, and leave only "
            "certificates. Whoever has that key can pass for its owner, so keep it where it belongs."
        )
    found = tuple(dict.fromkeys(_certificates(given)))
    if not found:
        raise _wrong(
            "There is no certificate in this. It should begin with -----BEGIN CERTIFICATE-----. In Windows, export "
            "it as “Base-64 encoded X.509 (.CER)”."
        )
    if len(found) > MOST:
        raise _wrong(
            f"There are {len(found)} certificates in this. {MOST} is the most: add your own authority only."
        )
    for each in found:
        if sentence := _fault(each):
            raise _wrong(sentence)
    return found


def _certificates(given: bytes) -> list[x509.Certificate]:
    """Nothing where one of them is broken inside: what cannot be shown is not kept."""
    try:
        if b"-----BEGIN" in given:
            found = x509.load_pem_x509_certificates(given)
        else:
            found = [x509.load_der_x509_certificate(given)]
        for each in found:
            _authority(each)
    except UNREADABLE:
        return []
    return found


def _fault(certificate: x509.Certificate) -> str | None:
    name, now = f"“{_name(certificate.subject)}”", utcnow()
    if certificate.not_valid_after_utc < now:
        return f"{name} expired on {_day(certificate.not_valid_after_utc)}. Ask for its successor."
    if certificate.not_valid_before_utc > now:
        return f"{name} is valid only from {_day(certificate.not_valid_before_utc)}. Add it then."
    if not _is_authority(certificate) and not _signed_itself(certificate):
        return (
            f"{name} is the certificate of a server, not of an authority. Add the certificate of the authority that "
            f"signed it: “{_name(certificate.issuer)}”."
        )
    return None


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _signed_itself(certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(certificate)
    except (*UNREADABLE, TypeError, InvalidSignature):
        return False
    return True


def _authority(certificate: x509.Certificate) -> Authority:
    return Authority(
        subject=_name(certificate.subject),
        issuer=_name(certificate.issuer),
        fingerprint=certificate.fingerprint(SHA256()).hex(":").upper(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        is_authority=_is_authority(certificate),
    )


def _short(authority: Authority) -> str:
    return f"{authority.subject} (SHA-256 {authority.fingerprint})"


def _name(name: x509.Name) -> str:
    return name.rfc4514_string()[:200] or "no name"


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment.strftime('%B %Y')}"


def _wrong(sentence: str) -> InvalidError:
    return InvalidError({"pem": sentence})
