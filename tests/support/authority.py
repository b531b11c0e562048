"""A certificate authority for tests: certificates as real firms have them, including broken ones."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from imanage.deadlines import TimedTLS

DAY = datetime.timedelta(days=1)


class Authority:
    """One authority: a root, or under `above` an intermediate of the same firm."""

    def __init__(
        self,
        firm: str = "Firm LLP",
        above: Authority | None = None,
        lasts: datetime.timedelta = 3650 * DAY,
    ) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name(firm, f"{firm} {'Issuing' if above else 'Root'} CA")
        signer = above or self
        self.certificate = (
            _certificate(self.name, signer.name, self.key, -10 * DAY, lasts)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(signer.key, hashes.SHA256())
        )

    @property
    def pem(self) -> str:
        return pem_of(self.certificate)

    def context(
        self,
        folder: Path,
        *names: str,
        begins: datetime.timedelta = -DAY,
        ends: datetime.timedelta = 90 * DAY,
        chain: str = "",
    ) -> ssl.SSLContext:
        """A server's side of TLS for these names; `chain` is what it sends beside its own certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        return _context(folder, leaf(self, *names, begins=begins, ends=ends, key=key), key, chain)


def leaf(
    authority: Authority,
    *names: str,
    begins: datetime.timedelta = -DAY,
    ends: datetime.timedelta = 90 * DAY,
    key: ec.EllipticCurvePrivateKey | None = None,
) -> x509.Certificate:
    """The certificate of a server."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    return (
        _certificate(_name("", names[0]), authority.name, key, begins, ends)
        .add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
        .sign(authority.key, hashes.SHA256())
    )


def self_signed_leaf(
    name: str,
    begins: datetime.timedelta = -DAY,
    ends: datetime.timedelta = 90 * DAY,
    key: ec.EllipticCurvePrivateKey | None = None,
) -> x509.Certificate:
    key, own = key or ec.generate_private_key(ec.SECP256R1()), _name("", name)
    return (
        _certificate(own, own, key, begins, ends)
        .add_extension(x509.SubjectAlternativeName([_alternative(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )


def pem_of(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def self_signed(folder: Path, name: str) -> ssl.SSLContext:
    """What comes with a fresh installation."""
    key = ec.generate_private_key(ec.SECP256R1())
    return _context(folder, self_signed_leaf(name, key=key), key, "")


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    begins: datetime.timedelta,
    ends: datetime.timedelta,
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
    )


def _context(
    folder: Path, leaf: x509.Certificate, key: ec.EllipticCurvePrivateKey, chain: str
) -> ssl.SSLContext:
    shown = folder / "shown.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    shown.write_bytes(leaf.public_bytes(serialization.Encoding.PEM) + chain.encode() + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslsocket_class = TimedTLS  # closed where the client is gone already
    context.load_cert_chain(shown)
    return context


def _name(firm: str, common: str) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, firm), *parts] if firm else parts)


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
