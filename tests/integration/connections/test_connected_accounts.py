"""Who is signed in to which server: on the person's own page, and for System Admins."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models import AuditEvent, Connection
from services.connections import accounts
from services.connections import admin as connection_admin
from services.core.errors import ForbiddenError
from services.core.unit_of_work import session, unit_of_work
from simulator import Simulator
from tests.support.pages import Browser, read
from tests.support.people import actor_of, make_member
from tests.support.practice import practice_server
from tests.support.sign_ins import SignIn, lines_of


def test_the_account_page_s_lines(signed_in: SignIn, practice: Simulator) -> None:
    practice_server(practice, name="Paris", url="https://paris.example", api_url="https://paris.example")
    person = actor_of(make_member("Somebody Else"))
    assert [line.state for line in accounts.of_member(person)] == ["never_connected"] * 2
    line = next(line for line in lines_of(signed_in) if line.label == "London")
    assert (line.state, line.imanage_name, line.differs, line.renewable) == (
        "connected",
        "ALICE",
        False,
        True,
    )


def test_an_admin_sees_who_is_signed_in_and_can_end_it(signed_in: SignIn) -> None:
    admin = actor_of(make_member("Ada Admin", is_admin=True))
    (line,) = connection_admin.of_server(admin, signed_in.server_id).rows
    assert (line.name, line.imanage_user, line.is_live) == ("Alice Archer", "ALICE", True)
    assert connection_admin.end(admin, signed_in.server_id, signed_in.member_id) == 1
    assert connection_admin.of_server(admin, signed_in.server_id).rows == ()


def test_the_admins_list_of_sign_ins(signed_in: SignIn) -> None:
    admin = Browser(signed_in.app).sign_in(make_member("Ada Admin", is_admin=True))
    url = f"/admin/integrations/imanage/{signed_in.server_id}/sign-ins"
    page = admin.page(url, htmx=True)
    assert "Alice Archer" in page.text and "ALICE" in page.text and "Signed in" in page.text
    ended = read(admin.post(f"{url}/{signed_in.member_id}/end", {"sure": "1"}, htmx=True), whole=False)
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
    with pytest.raises(ForbiddenError):
        connection_admin.of_server(person, signed_in.server_id)
    with pytest.raises(ForbiddenError):
        connection_admin.end(person, signed_in.server_id, signed_in.member_id)


def test_an_admin_ends_everybodys_sign_in_after_reading_how_many(signed_in: SignIn) -> None:
    admin = Browser(signed_in.app).sign_in(make_member("Ada Admin", is_admin=True))
    url = f"/admin/integrations/imanage/{signed_in.server_id}/sign-ins"
    asked = read(admin.get(f"{url}/end", htmx=True), whole=False)
    assert "1 member is signed in to London" in asked.text
    assert session().scalar(select(Connection)) is not None
    assert admin.post(f"{url}/end").status_code == 303
    assert session().scalar(select(Connection)) is None


def test_sign_ins_are_found_by_name_or_e_mail(signed_in: SignIn) -> None:
    admin = actor_of(make_member("Ada Admin", is_admin=True))
    assert [row.name for row in connection_admin.of_server(admin, signed_in.server_id, "arch").rows] == [
        "Alice Archer"
    ]
    nobody = connection_admin.of_server(admin, signed_in.server_id, "100%")
    assert (nobody.rows, nobody.total) == ((), 1)


def test_a_members_page_shows_and_ends_the_sign_ins(signed_in: SignIn) -> None:
    admin = Browser(signed_in.app).sign_in(make_member("Ada Admin", is_admin=True))
    url = f"/admin/members/{signed_in.member_id}/sign-ins"
    assert url in admin.get(f"/admin/members/{signed_in.member_id}").get_data(as_text=True)
    assert "London" in admin.page(url, htmx=True).text
    ended = read(admin.post(f"{url}/{signed_in.server_id}/end", {"sure": "1"}, htmx=True), whole=False)
    assert "Not signed in to any server." in ended.text
    assert session().scalar(select(Connection)) is None


def test_a_sign_in_that_has_ended_says_why(signed_in: SignIn) -> None:
    with unit_of_work() as writing:
        row = writing.scalars(select(Connection)).one()
        row.state, row.reason = "sign_in_again", "refused"
    admin = Browser(signed_in.app).sign_in(make_member("Ada Admin", is_admin=True))
    page = admin.page(f"/admin/integrations/imanage/{signed_in.server_id}/sign-ins", htmx=True)
    assert "Must sign in again" in page.text
    assert "iManage no longer accepts the sign-in." in page.text
