"""What a server proves itself with: its certificate, read into words for a person."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID

from .answers import clean

Facts = tuple[tuple[str, str], ...]
_Name = tuple[tuple[tuple[str, str], ...], ...]


@dataclass(frozen=True)
class Certificate:
    """What a server proved itself with, in words for a person."""

    names: tuple[str, ...]
    subject: str
    issuer: str
    issuer_firm: str
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
    def is_early(self) -> bool:
        return self.not_before > datetime.now(UTC)

    def is_for(self, host: str) -> bool:
        """Whether it names this host, itself or by a wildcard for its first label."""
        asked = host.lower().rstrip(".")
        wild = f"*.{asked.partition('.')[2]}"
        return bool({asked, wild} & {name.lower().rstrip(".") for name in self.names})

    @property
    def facts(self) -> Facts:
        return (
            ("Names in the certificate", clean(", ".join(self.names[:10]) or self.subject)),
            ("Issued by", clean(self.issuer)),
            ("Valid from", self.not_before.strftime("%d %B %Y")),
            ("Valid until", self.not_after.strftime("%d %B %Y")),
        )


def known_firms(trust: ssl.SSLContext) -> set[str]:
    """The organisations whose authorities are trusted: what they issued needs only its missing link."""
    subjects = cast(list[dict[str, _Name]], trust.get_ca_certs())
    return {
        value
        for authority in subjects
        for part in authority["subject"]
        for name, value in part
        if name == "organizationName"
    }


def read_certificate(der: bytes, protocol: str) -> Certificate:
    """From the bytes that the server showed."""
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
        issuer_firm=_firm(leaf.issuer),
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
        protocol=protocol,
    )


def _firm(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return str(found[0].value) if found else ""
