"""What a member's sign-in tells of a server: headers lost on the way, another customer, no refresh token."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models import Connection, Member, utcnow
from services.core.unit_of_work import session
from simulator import Simulator
from tests.support.fault_proxy import fault_proxy
from tests.support.loopback_servers import line, ok
from tests.support.people import make_member
from tests.support.practice import practice_server
from tests.support.server_checks import checked, eating, keep_sign_in, server_at, site


@pytest.fixture
def alice(practice: Simulator) -> Member:
    return make_member("Alice Archer", email="alice@practice.example")


def refresh_token_of(practice: Simulator) -> str:
    return practice.tokens.issue("refresh", "ALICE", "counterpart-practice")


def test_nobody_has_signed_in_yet(practice: Simulator) -> None:
    found = checked(practice_server(practice))
    assert found.says("header", "skipped")
    assert "nobody has signed in" in found["header"].sentence
    assert found.says("refresh_token", "skipped")


def test_a_sign_in_that_arrives(practice: Simulator, alice: Member) -> None:
    server = practice_server(practice)
    token = practice.token_for("ALICE")
    keep_sign_in(server, alice.id, token, refresh_token_of(practice))
    found = checked(server)
    assert found.says("header", "pass")
    assert found.fact("header", "Signed in as") == "Alice Archer"
    assert found.says("refresh_token", "pass")
    assert token not in str(found.report)


def test_a_proxy_that_swallows_the_header(practice: Simulator, alice: Member) -> None:
    with line(eating(("127.0.0.1", practice.port), b"X-Auth-Token")) as proxy:
        server = server_at(f"http://127.0.0.1:{proxy.port}", is_enabled=True)
        keep_sign_in(server, alice.id, practice.token_for("ALICE"), refresh_token_of(practice))
        found = checked(server)
    assert found.says("header", "fail", "header.swallowed", "your network team")
    assert found.fact("header", "Missing header") == "X-Auth-Token"
    assert session().scalars(session().query(Connection.state).statement).one() == "connected"


def test_a_server_that_is_to_be_asked_by_the_other_header(practice: Simulator, alice: Member) -> None:
    with line(eating(("127.0.0.1", practice.port), b"Authorization")) as proxy:
        server = server_at(
            f"http://127.0.0.1:{proxy.port}", is_enabled=True, facts={"token_header": "bearer"}
        )
        keep_sign_in(server, alice.id, practice.token_for("ALICE"))
        found = checked(server)
    assert found.fact("header", "Missing header") == "Authorization"


def test_a_token_that_ran_out_is_renewed_before_anything_is_said(practice: Simulator, alice: Member) -> None:
    server = practice_server(practice)
    keep_sign_in(server, alice.id, practice.token_for("ALICE"), refresh_token_of(practice))
    practice.expire_tokens()
    assert checked(server).says("header", "pass")


def test_a_fresh_token_that_neither_header_carries(practice: Simulator, alice: Member) -> None:
    practice.settings.update({"access_idle_seconds": 0})
    server = practice_server(practice)
    keep_sign_in(server, alice.id, practice.token_for("ALICE"), refresh_token_of(practice))
    assert checked(server).says("header", "warn", "header.inconclusive", "your network team")


def test_a_sign_in_that_has_ended_says_nothing_of_the_header(practice: Simulator, alice: Member) -> None:
    server = practice_server(practice)
    row = keep_sign_in(server, alice.id, "no such token")
    found = checked(server)
    assert found.says("header", "skipped")
    session().rollback()
    assert session().get_one(Connection, row.id).state == "connected"


def test_by_the_clock_no_sign_in_is_used(practice: Simulator, alice: Member) -> None:
    """Else it would never run out: iManage counts from the last use."""
    server = practice_server(practice)
    keep_sign_in(server, alice.id, practice.token_for("ALICE"), refresh_token_of(practice))
    practice.forget_requests()
    found = checked(server, thorough=False)
    assert found.says("header", "skipped")
    assert found.says("refresh_token", "pass")
    assert found.report.state == "healthy"
    assert not [call for call in practice.requests if call.user]


def test_a_server_that_is_off_is_not_shown_a_sign_in(practice: Simulator, alice: Member) -> None:
    server = practice_server(practice, is_enabled=False)
    keep_sign_in(server, alice.id, practice.token_for("ALICE"))
    practice.forget_requests()
    assert checked(server).says("header", "skipped")
    assert not [call for call in practice.requests if call.user]


@pytest.mark.parametrize(("state", "reason"), [("connected", ""), ("sign_in_again", "could_not_refresh")])
def test_no_refresh_token(practice: Simulator, alice: Member, state: str, reason: str) -> None:
    server = practice_server(practice)
    keep_sign_in(server, alice.id, practice.token_for("ALICE"), state=state, reason=reason)
    found = checked(server)
    assert found.says("refresh_token", "warn", "refresh.none", "your iManage admin")
    assert "Allow Refresh Token" in found["refresh_token"].cause


def test_no_refresh_token_though_others_have_one(practice: Simulator, alice: Member) -> None:
    server = practice_server(practice)
    bram = make_member("Bram de Vries", email="bram@practice.example")
    earlier = utcnow() - timedelta(days=1)
    keep_sign_in(
        server, bram.id, practice.token_for("BRAM"), refresh_token_of(practice), connected_at=earlier
    )
    keep_sign_in(server, alice.id, practice.token_for("ALICE"))
    found = checked(server)
    assert found.says("refresh_token", "warn", "refresh.none_though_allowed", "your iManage admin")


def test_an_api_url_that_leads_to_the_same_customer(practice: Simulator, alice: Member) -> None:
    with fault_proxy(("127.0.0.1", practice.port)) as other_way:
        server = server_at(practice.url, f"http://127.0.0.1:{other_way.port}", is_enabled=True)
        assert checked(server).says("api_customer", "skipped")
        keep_sign_in(server, alice.id, practice.token_for("ALICE"))
        found = checked(server)
    assert found.says("api_customer", "pass")
    assert found.fact("api_customer", "Customer at the URL") == "4242"


def test_an_api_url_of_another_customer(practice: Simulator, alice: Member) -> None:
    other = ok(b'{"data": {"auth_status": "authenticated", "user": {"id": "ALICE", "customer_id": 77}}}')
    with line(site({"GET /api ": other})) as elsewhere:
        server = server_at(f"http://127.0.0.1:{elsewhere.port}", practice.url, is_enabled=True)
        keep_sign_in(server, alice.id, practice.token_for("ALICE"))
        found = checked(server)
    assert found.says("api_customer", "fail", "api_url.other_customer", "you")
    assert found.fact("api_customer", "Customer at the URL") == "77"
    assert found.fact("api_customer", "Customer at the API URL") == "4242"


def test_a_url_whose_imanage_does_not_know_the_sign_in(practice: Simulator, alice: Member) -> None:
    with Simulator() as another:
        server = server_at(another.url, practice.url, is_enabled=True)
        keep_sign_in(server, alice.id, practice.token_for("ALICE"))
        found = checked(server)
    assert found.says("api_customer", "fail", "api_url.other_customer", "you")
