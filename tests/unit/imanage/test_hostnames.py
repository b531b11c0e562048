"""Homograph host names, wherever a host is entered."""

from __future__ import annotations

import pytest

from imanage.addresses import AddressRefusedError, AddressRules, parse_server_url, parse_subdomain
from imanage.hostnames import imitation
from services.core.text.email_addresses import email_problem

HONEST = [
    "imanage.firm.com", "bücher.example", "łódź.example", "straße.example", "smørrebrød.example",
    "россия.example", "банк.example", "ελλάδα.example", "日本語.example", "ひらがなカタカナ漢字.example",
    "toyota車.example",
    "한국어.example", "삼성abc.example", "ישראל.example", "مصر.example", "भारत.example", "ไทย.example", "a-1.example",
    "bücher.россия.example",
]  # fmt: skip
MIXED = ["im\u0430nage.firm.com", "g\u043e\u043egle.com", "firm\u03bf.com", "пример-firm.com", "日本россия.example",
         "imanage.f\u0456rm.com", "бücher.example", "한국ひ.example"]  # fmt: skip
LOOKALIKE = [
    "\u0430\u0440\u0440\u04cf\u0435.com", "сос.com", "\u0441\u0430.firm.com", "\u0131manage.com", "\u0251pple.com",
    "\u1d04loud.com", "\u03bf\u03bd.com", "\u0585\u0578.com", "xyz.\u0441\u043e", "\ua4d0\ua4d1.com", "\u0966.com",
    "fi\u0280m.com", "\u0131şık.example",
]  # fmt: skip


@pytest.mark.parametrize("host", HONEST)
def test_a_name_of_one_alphabet_is_taken(host: str) -> None:
    assert imitation(host) is None
    assert parse_server_url(host, AddressRules()).origin.isascii()


@pytest.mark.parametrize("host", MIXED + LOOKALIKE)
def test_a_name_that_imitates_is_refused_with_its_punycode(host: str) -> None:
    spelled = ".".join(
        label if label.isascii() else "xn--" + label.encode("punycode").decode() for label in host.split(".")
    )
    for typed in (host, f"https://{host}/work/web", spelled, f"HTTPS://{spelled.upper()}"):
        with pytest.raises(AddressRefusedError) as caught:
            parse_server_url(typed, AddressRules())
        assert caught.value.code == ("address.mixed_scripts" if host in MIXED else "address.lookalike")
        assert f"“{spelled}”" in caught.value.sentence
    with pytest.raises(AddressRefusedError):
        parse_subdomain(host.split(".", maxsplit=1)[0], AddressRules()) if not host.split(".", maxsplit=1)[
            0
        ].isascii() else parse_subdomain(host, AddressRules())
    for typed in (host, spelled):
        assert spelled in (email_problem(f"anna@{typed}") or "")


def test_an_honest_domain_takes_mail() -> None:
    assert email_problem("anna@bücher.example") is None
    assert email_problem("anna@xn--bcher-kva.example") is None
