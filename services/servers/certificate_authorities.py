"""A server's custom CA: certificates that an admin adds, trusted for this one server beside the public authorities.

Verification is never switched off. A server's certificate issued by an authority is refused: the authority's should be
added, which stays valid when the server's is renewed. A self-signed one is accepted; it covers only itself.
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
from services.guidance.refusals import refusal
from services.servers import registry

MOST_CERTIFICATES = 10
LARGEST = 64 * 1024
EXPIRES_SOON = timedelta(days=30)
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
    """One certificate of the list, with what a person compares."""

    subject: str
    issuer: str
    fingerprint: str
    not_after: datetime
    is_authority: bool

    @property
    def is_expired(self) -> bool:
        return self.not_after < utcnow()

    @property
    def expires_soon(self) -> bool:
        return not self.is_expired and self.not_after - utcnow() < EXPIRES_SOON


def holds_private_key(given: bytes) -> bool:
    return PRIVATE_KEY in given


def authorities(actor: Actor, server_id: uuid.UUID) -> tuple[Authority, ...]:
    """The list of one server, in its order."""
    pem = registry.require_server(actor, server_id).ca_pem
    return tuple(map(_authority, x509.load_pem_x509_certificates(pem.encode()))) if pem else ()


def pem(actor: Actor, server_id: uuid.UUID) -> str:
    """The list as PEM, for the form."""
    return registry.require_server(actor, server_id).ca_pem or ""


def save(actor: Actor, server_id: uuid.UUID, given: bytes, version: str) -> tuple[Authority, ...]:
    """Replace the list; it applies to every new connection. Raises InvalidError."""
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
    """Trust only the public authorities again."""
    permissions.require_admin(actor)
    with unit_of_work():
        row = registry.locked(server_id)
        registry.check_version(row, version)
        if not row.ca_pem:
            raise refusal(ConflictError, "server.no_ca")
        gone = map(_authority, x509.load_pem_x509_certificates(row.ca_pem.encode()))
        row.ca_pem, row.changed_at = None, utcnow()
        registry.record(actor, "server.ca_removed", row, certificates=[_short(each) for each in gone])


def read(given: bytes) -> tuple[x509.Certificate, ...]:
    """The distinct certificates in a pasted text or a file. Raises InvalidError with the reason."""
    if not given.strip():
        raise _invalid("Paste a certificate or choose a file.")
    if len(given) > LARGEST:
        raise _invalid("This is larger than 64 kB. Include only your authority’s certificates.")
    if holds_private_key(given):
        raise _invalid(
            "This contains a private key, which is not needed and was not stored. Include only certificates, and keep "
            "the key secret: anyone who has it can impersonate its owner."
        )
    found = tuple(dict.fromkeys(_certificates(given)))
    if not found:
        raise _invalid(
            "This does not contain a certificate. It should start with -----BEGIN CERTIFICATE-----. In Windows, export "
            "it as “Base-64 encoded X.509 (.CER)”."
        )
    if len(found) > MOST_CERTIFICATES:
        raise _invalid(
            f"This contains {len(found)} certificates. Add your own authority’s only, {MOST_CERTIFICATES} at most."
        )
    for each in found:
        if sentence := _fault(each):
            raise _invalid(sentence)
    return found


def _certificates(given: bytes) -> list[x509.Certificate]:
    """Empty where one of them cannot be parsed: a certificate that cannot be shown is not stored."""
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
        return f"{name} expired on {_day(certificate.not_valid_after_utc)}. Ask for the new one."
    if certificate.not_valid_before_utc > now:
        return f"{name} is not valid until {_day(certificate.not_valid_before_utc)}. Add it then."
    if not _is_authority(certificate) and not _is_self_signed(certificate):
        return (
            f"{name} is a server’s certificate, not an authority’s. Add the certificate of the authority that issued "
            f"it: “{_name(certificate.issuer)}”."
        )
    return None


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _is_self_signed(certificate: x509.Certificate) -> bool:
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
        not_after=certificate.not_valid_after_utc,
        is_authority=_is_authority(certificate),
    )


def _short(authority: Authority) -> str:
    return f"{authority.subject} (SHA-256 {authority.fingerprint})"


def _name(name: x509.Name) -> str:
    return name.rfc4514_string()[:200] or "no name"


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment.strftime('%B %Y')}"


def _invalid(sentence: str) -> InvalidError:
    return InvalidError({"pem": sentence})
