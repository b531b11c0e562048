"""A certificate authority of the tests: certificates as firms really have them, the broken kinds among them."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


class Authority:
    """One authority: a root, or under `above` an intermediate of the same firm."""

    def __init__(self, firm: str = "Firm LLP", above: Authority | None = None) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name(firm, f"{firm} {'Issuing' if above else 'Root'} CA")
        signer = above or self
        self.certificate = (
            _certificate(self.name, signer.name, self.key, -10 * DAY, 3650 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(signer.key, hashes.SHA256())
        )

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

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
        leaf = (
            _certificate(_name("", names[0]), self.name, key, begins, ends)
            .add_extension(
                x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False
            )
            .sign(self.key, hashes.SHA256())
        )
        return _context(folder, leaf, key, chain)


def self_signed(folder: Path, name: str) -> ssl.SSLContext:
    """What comes with a fresh installation."""
    key = ec.generate_private_key(ec.SECP256R1())
    own = _name("", name)
    leaf = (
        _certificate(own, own, key, -DAY, 90 * DAY)
        .add_extension(x509.SubjectAlternativeName([_alternative(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _context(folder, leaf, key, "")


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
