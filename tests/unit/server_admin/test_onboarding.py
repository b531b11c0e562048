"""The set-up checklist as a function of facts: what is done, what is missing, and the one step that comes next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.server_admin.onboarding import Facts, of

OURS = "https://counterpart.firm.test/auth/v0/oauth2/authorized"
ORDER = (
    "registered",
    "redirect_url",
    "credentials",
    "reachable",
    "enabled",
    "usable",
    "signed_in",
    "renewable",
    "got",
)


def result(outcome: str, group: str = "Application") -> dict[str, Any]:
    return {"outcome": outcome, "group": group, "sentence": "It is so.", "next_step": "Do this.", "facts": []}


PASSED = {
    "dns": result("pass", "Network"),
    "api": result("pass", "iManage"),
    "client_id": result("pass"),
    "redirect_url": result("pass"),
    "secret": result("pass"),
}
NOTHING = Facts(False, OURS, "", False, False, {}, False, False, 1, 0, 0, False)
ALL = Facts(True, OURS, OURS, True, True, PASSED, True, False, 3, 2, 2, True)


def states(facts: Facts) -> dict[str, str]:
    return {step.key: step.state for step in of(facts).steps}


def step(facts: Facts, key: str) -> Any:
    return next(each for each in of(facts).steps if each.key == key)


def test_all_done_is_done_and_says_nothing_more() -> None:
    assert of(ALL).is_done
    assert {each.hint + each.action for each in of(ALL).steps} == {""}


def test_the_steps_stand_in_the_order_in_which_they_are_taken() -> None:
    assert tuple(states(NOTHING)) == ORDER
    assert states(NOTHING)["registered"] == "next"
    assert list(states(NOTHING).values()).count("next") == 1


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"has_credentials": False}, "registered"),
        ({"told": "https://old.test/x", "accepted": False}, "redirect_url"),
        ({"results": PASSED | {"redirect_url": result("fail")}}, "redirect_url"),
        ({"results": PASSED | {"client_id": result("fail")}}, "credentials"),
        ({"results": PASSED | {"secret": result("fail")}}, "credentials"),
        ({"results": PASSED | {"dns": result("fail", "Network")}}, "reachable"),
        ({"results": PASSED | {"api_tls": result("fail", "API URL")}}, "reachable"),
        ({"is_enabled": False}, "enabled"),
        ({"usable_by": 0}, "usable"),
        ({"signed_in": 0, "renewable": 0}, "signed_in"),
        ({"renewable": 1}, "renewable"),
        ({"got": False}, "got"),
    ],
)
def test_what_is_missing_is_the_next_step_and_has_a_hint(change: dict[str, Any], key: str) -> None:
    facts = replace(ALL, **change)
    found = step(facts, key)
    assert found.state == "next"
    assert found.hint
    assert not of(facts).is_done


def test_a_failed_check_speaks_in_its_own_words() -> None:
    facts = replace(ALL, results=PASSED | {"secret": result("fail")})
    assert step(facts, "credentials").hint == "It is so. Do this."
    assert step(facts, "credentials").action == "credentials"


def test_what_a_check_could_not_tell_is_told_by_a_sign_in() -> None:
    unsure = PASSED | {"secret": result("warn"), "redirect_url": result("warn")}
    nobody = replace(ALL, results=unsure, accepted=False, from_package=False, signed_in=0, renewable=0)
    assert (states(nobody)["redirect_url"], states(nobody)["credentials"]) == ("next", "missing")
    assert "The first sign-in will show." in step(nobody, "credentials").hint
    somebody = replace(nobody, signed_in=1, renewable=1)
    assert (states(somebody)["redirect_url"], states(somebody)["credentials"]) == ("done", "done")


def test_a_package_made_for_this_url_is_enough_for_the_redirect_url_until_a_check_says_otherwise() -> None:
    facts = replace(ALL, results={}, accepted=False, signed_in=0, renewable=0)
    assert states(facts)["redirect_url"] == "done"
    assert states(replace(facts, from_package=False))["redirect_url"] == "next"
    refused = replace(facts, results={"redirect_url": result("fail")})
    assert states(refused)["redirect_url"] == "next"


def test_a_changed_url_names_both_and_a_check_that_passed_since_settles_it() -> None:
    facts = replace(ALL, told="https://old.test/auth", accepted=False)
    assert "https://old.test/auth" in step(facts, "redirect_url").hint
    assert OURS in step(facts, "redirect_url").hint
    assert step(facts, "redirect_url").action == "confirm_redirect"
    assert states(replace(facts, accepted=True))["redirect_url"] == "done"


@pytest.mark.parametrize("code", ["client.unknown", "client.not_uploaded"])
def test_an_application_that_imanage_does_not_know_is_not_registered(code: str) -> None:
    unknown = {"client_id": result("fail") | {"code": code}, "redirect_url": result("skipped")}
    facts = replace(ALL, results=PASSED | unknown, signed_in=0, renewable=0, got=False)
    found = states(facts)
    assert (found["registered"], found["redirect_url"], found["credentials"]) == (
        "next",
        "missing",
        "missing",
    )
    assert found["reachable"] == "done"
    assert (step(facts, "registered").hint, step(facts, "registered").action) == (
        "It is so. Do this.",
        "credentials",
    )
    packed = step(replace(facts, has_package=True), "registered")
    assert "Ask for the package to be uploaded" in packed.hint
    assert packed.action == "check"


def test_a_sign_in_without_refresh_token_is_noticed() -> None:
    assert of(replace(ALL, renewable=1)).lacks_refresh
    assert not of(ALL).lacks_refresh
    assert "Allow Refresh Token" in step(replace(ALL, renewable=1), "renewable").hint


def failing(code: str) -> dict[str, Any]:
    return result("fail") | {"code": code}


@pytest.mark.parametrize(
    ("code", "anchor"),
    [
        ("tls.unknown_authority", "own-ca"),
        ("tls.self_signed", "own-ca"),
        ("tls.expired", "check"),
        ("tcp.refused", "check"),
    ],
)
def test_the_first_failing_cause_is_the_next_step_with_a_link_to_where_it_is_mended(
    code: str, anchor: str
) -> None:
    """Before a redirect URL that nobody can judge through a bad certificate."""
    results = {"dns": PASSED["dns"], "tls": failing(code), "redirect_url": result("skipped")}
    facts = replace(
        NOTHING, has_credentials=True, told="https://old.test/x", results=results, is_enabled=False
    )
    found = states(facts)
    assert (found["reachable"], found["redirect_url"]) == ("next", "missing")
    place = step(facts, "reachable").fix_location
    assert place and place.anchor == anchor


def test_a_failure_comes_before_what_is_merely_missing() -> None:
    facts = replace(ALL, usable_by=0, is_enabled=False, results=PASSED | {"secret": failing("secret.wrong")})
    assert states(facts)["credentials"] == "next"
    assert step(facts, "credentials").fix_location.anchor == "connection"


def test_an_own_authority_that_has_expired_is_told_beside_what_fails_by_it() -> None:
    own = result("warn") | {"code": "ca.expired", "sentence": "Your CA has expired."}
    facts = replace(ALL, results=PASSED | {"tls": failing("tls.unknown_authority"), "own_ca": own})
    assert step(facts, "reachable").hint == "It is so. Do this. Your CA has expired. Do this."
