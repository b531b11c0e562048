"""E-mail addresses: which are taken, and which two are the same."""

from __future__ import annotations

import pytest

from services.core.text.email_addresses import email_key, email_problem


@pytest.mark.parametrize(
    "email",
    ["a@b.test", "anna.mueller+x@firm.co.uk", "o'neil@firm.test", "müller@bücher.test", "a_b-c@x-y.test"],
)
def test_an_address_is_taken(email: str) -> None:
    assert email_problem(email) is None


@pytest.mark.parametrize(
    "email",
    [
        "", "anna", "@firm.test", "anna@", "anna@firm", "anna @firm.test", "a@@firm.test", ".a@firm.test",
        "a.@firm.test", "a..b@firm.test", "a@-firm.test", "a@firm-.test", "a@firm..test", "a@firm.test.",
        "a,b@firm.test", "<a@firm.test>", '"a b"@firm.test', "a@firm.test\n", "a\x00@firm.test",
        "a\u202e@firm.test", "a@firm/x.test", f"{'a' * 65}@firm.test", "a@" + ".".join(["b" * 60] * 5),
    ],
)  # fmt: skip
def test_what_cannot_be_an_address_is_refused(email: str) -> None:
    assert email_problem(email)


def test_letter_case_and_width_make_no_second_account() -> None:
    assert email_key("Anna@Firm.TEST") == email_key("ａｎｎａ@firm.test") == "anna@firm.test"
