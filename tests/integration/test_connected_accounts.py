"""Who is signed in to which server: on the person's own page, and for System Admins."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models import AuditEvent, Connection
from services import connections
from services.errors import Forbidden
from services.unit import session
from simulator import Simulator
from tests.support.pages import Browser, read
from tests.support.people import actor_of, make_member
from tests.support.practice import practice_server
from tests.support.sign_ins import SignIn, lines_of


def test_the_account_page_s_lines(signed_in: SignIn, practice: Simulator) -> None:
    practice_server(practice, name="Paris", url="https://paris.example", api_url="https://paris.example")
    person = actor_of(make_member("Somebody Else"))
    assert [line.state for line in connections.of_member(person)] == ["never_connected"] * 2
    line = next(line for line in lines_of(signed_in) if line.label == "London")
    assert (line.state, line.imanage_user, line.differs, line.renewable) == (
        "connected",
        "ALICE",
        False,
        True,
    )


def test_an_admin_sees_who_is_signed_in_and_can_end_it(signed_in: SignIn) -> None:
    admin = actor_of(make_member("Ada Admin", is_admin=True))
    (line,) = connections.status_for_admin(admin, signed_in.server_id).rows
    assert (line.name, line.imanage_user, line.state) == ("Alice Archer", "ALICE", "connected")
    assert connections.disconnect_member(admin, signed_in.server_id, signed_in.member_id) == 1
    assert connections.status_for_admin(admin, signed_in.server_id).rows == ()


def test_the_admins_list_of_sign_ins(signed_in: SignIn) -> None:
    admin = Browser(signed_in.app).sign_in(make_member("Ada Admin", is_admin=True))
    url = f"/admin/integrations/imanage/{signed_in.server_id}/sign-ins"
    page = admin.page(url, htmx=True)
    assert "Alice Archer" in page.text and "ALICE" in page.text and "Signed in" in page.text
    ended = read(admin.post(f"{url}/{signed_in.member_id}/end", htmx=True), whole=False)
    assert "Nobody is signed in to this server." in ended.text
    assert session().scalar(select(Connection)) is None
    event = session().scalars(select(AuditEvent).where(AuditEvent.action == "connection.disconnected")).one()
    assert event.actor_name.startswith("Ada Admin")
    assert admin.get(url).headers["Location"] == f"/admin/integrations/imanage/{signed_in.server_id}"


def test_the_list_of_sign_ins_is_for_admins(signed_in: SignIn) -> None:
    member = Browser(signed_in.app).sign_in(make_member("Somebody Else"))
    url = f"/admin/integrations/imanage/{signed_in.server_id}/sign-ins"
    assert member.get(url, htmx=True).status_code == 403
    assert member.post(f"{url}/{signed_in.member_id}/end").status_code == 403
    assert session().scalar(select(Connection)) is not None


def test_nobody_but_an_admin_does(signed_in: SignIn) -> None:
    person = actor_of(make_member("Somebody Else"))
    with pytest.raises(Forbidden):
        connections.status_for_admin(person, signed_in.server_id)
    with pytest.raises(Forbidden):
        connections.disconnect_member(person, signed_in.server_id, signed_in.member_id)
