"""Certificates accepted under Custom CA: authorities and self-signed servers; each refusal with its sentence."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from services.core.errors import InvalidError
from services.servers import certificate_authorities
from tests.support.authority import DAY, Authority, leaf, pem_of, self_signed_leaf

ROOT = Authority()


def refusal(given: bytes | str) -> str:
    with pytest.raises(InvalidError) as caught:
        certificate_authorities.read(given.encode() if isinstance(given, str) else given)
    return caught.value.fields["pem"]


def test_a_chain_is_read_each_certificate_once_whatever_text_is_around_it() -> None:
    issuing = Authority(above=ROOT)
    text = f"Bag Attributes: x\n{ROOT.pem}\nsubject=…\n{issuing.pem}{ROOT.pem}"
    assert certificate_authorities.read(text.encode()) == (ROOT.certificate, issuing.certificate)


def test_a_binary_file_is_read_too() -> None:
    assert certificate_authorities.read(ROOT.certificate.public_bytes(Encoding.DER)) == (ROOT.certificate,)


def test_a_server_that_signed_itself_vouches_for_nobody_else_and_is_taken() -> None:
    certificate = self_signed_leaf("imanage.firm.test")
    assert certificate_authorities.read(pem_of(certificate).encode()) == (certificate,)
    assert certificate_authorities._authority(certificate).is_authority is False


def test_a_server_that_somebody_else_signed_is_refused_and_its_authority_named() -> None:
    sentence = refusal(pem_of(leaf(ROOT, "imanage.firm.test")))
    assert "“CN=imanage.firm.test” is a server’s certificate" in sentence
    assert "“CN=Firm LLP Root CA,O=Firm LLP”" in sentence


def test_a_private_key_is_refused_whatever_else_is_there() -> None:
    key = ROOT.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for given in (key, ROOT.pem + key, key + ROOT.pem):
        sentence = refusal(given)
        assert "private key" in sentence and "not stored" in sentence
        assert key.splitlines()[1] not in sentence


@pytest.mark.parametrize(
    "given",
    [
        "hello",
        "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        b"\x30\x82\x00\x00",
        b"\x00\xff" * 50,
    ],
)
def test_no_certificate_in_it(given: bytes | str) -> None:
    assert "This does not contain a certificate." in refusal(given)


def test_nothing_at_all() -> None:
    assert refusal("  \n ") == "Paste a certificate or choose a file."


def test_too_much() -> None:
    assert "64 kB" in refusal("x" * (certificate_authorities.LARGEST + 1))
    many = [Authority(f"Firm {number}") for number in range(certificate_authorities.MOST_CERTIFICATES + 1)]
    assert certificate_authorities.read("".join(each.pem for each in many[1:]).encode())
    assert "This contains 11 certificates." in refusal("".join(each.pem for each in many))


def test_out_of_date() -> None:
    gone = self_signed_leaf("old.firm.test", begins=-9 * DAY, ends=-DAY)
    assert "“CN=old.firm.test” expired on " in refusal(ROOT.pem + pem_of(gone))
    early = self_signed_leaf("new.firm.test", begins=DAY, ends=9 * DAY)
    assert "“CN=new.firm.test” is not valid until " in refusal(pem_of(early))


def test_what_is_shown_is_what_openssl_would_say() -> None:
    shown = certificate_authorities._authority(ROOT.certificate)
    assert isinstance(ROOT.certificate, x509.Certificate)
    assert len(shown.fingerprint.split(":")) == 32 and shown.fingerprint == shown.fingerprint.upper()
    assert shown.subject == shown.issuer == "CN=Firm LLP Root CA,O=Firm LLP"
    assert shown.is_authority and not shown.is_expired and not shown.expires_soon
    assert certificate_authorities._authority(self_signed_leaf("soon.test", ends=29 * DAY)).expires_soon
