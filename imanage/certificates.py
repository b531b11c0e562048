"""A server's TLS certificate, read for display."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID

from .refusals import sanitise

Facts = tuple[tuple[str, str], ...]
_Name = tuple[tuple[tuple[str, str], ...], ...]


@dataclass(frozen=True)
class Certificate:
    """The leaf certificate and the TLS version of a handshake."""

    names: tuple[str, ...]
    subject: str
    issuer: str
    issuer_organisation: str
    not_before: datetime
    not_after: datetime
    protocol: str = ""

    @property
    def days_left(self) -> int:
        return (self.not_after - datetime.now(UTC)).days

    @property
    def is_expired(self) -> bool:
        return self.not_after < datetime.now(UTC)

    @property
    def is_not_yet_valid(self) -> bool:
        return self.not_before > datetime.now(UTC)

    def matches(self, host: str) -> bool:
        """Whether it names this host, directly or by a wildcard for the first label."""
        asked = host.lower().rstrip(".")
        wild = f"*.{asked.partition('.')[2]}"
        return bool({asked, wild} & {name.lower().rstrip(".") for name in self.names})

    @property
    def facts(self) -> Facts:
        return (
            ("Names in the certificate", sanitise(", ".join(self.names[:10]) or self.subject)),
            ("Issued by", sanitise(self.issuer)),
            ("Valid from", self.not_before.strftime("%d %B %Y")),
            ("Valid until", self.not_after.strftime("%d %B %Y")),
        )


def trusted_organisations(trust: ssl.SSLContext) -> set[str]:
    """Organisations of the trusted authorities: if one issued a certificate, only an intermediate is missing."""
    subjects = cast(list[dict[str, _Name]], trust.get_ca_certs())
    return {
        value
        for authority in subjects
        for part in authority["subject"]
        for name, value in part
        if name == "organizationName"
    }


def read_certificate(der: bytes, protocol: str) -> Certificate:
    """Parse a DER certificate. `protocol` is the TLS version, such as "TLSv1.3"."""
    leaf = x509.load_der_x509_certificate(der)
    try:
        found = leaf.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
        names = (
            tuple(str(each.value) for each in found) if isinstance(found, x509.SubjectAlternativeName) else ()
        )
    except x509.ExtensionNotFound:
        names = ()
    return Certificate(
        names=names,
        subject=leaf.subject.rfc4514_string()[:200],
        issuer=leaf.issuer.rfc4514_string()[:200],
        issuer_organisation=_organisation(leaf.issuer),
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
        protocol=protocol,
    )


def _organisation(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return str(found[0].value) if found else ""
