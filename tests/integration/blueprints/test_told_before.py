"""What an act would do is shown before it is done: switching a server on or off, restricting it, leaving a group."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from models import Connection, Group, GroupMember, Member, Server, ServerGroup, ServerMember, db, utcnow
from services.core.unit_of_work import unit_of_work
from tests.support import server_health
from tests.support.pages import Browser, Page, read
from tests.support.people import make_member
from tests.support.servers import connect, make_running_transfer, make_server

SERVERS = "/admin/integrations/imanage"


def switch(admin: Browser, server: Server, on: bool = True, **more: str) -> TestResponse:
    return admin.post(f"{SERVERS}/{server.id}/enabled", {"enabled": "1" if on else "0"} | more, htmx=True)


def asked(answer: TestResponse) -> Page:
    """The pop-up that came in place of the act."""
    assert (answer.status_code, answer.headers["HX-Retarget"]) == (422, "#dialog")
    return read(answer, whole=False)


def is_on(server: Server) -> bool:
    db.session.rollback()
    return db.session.get_one(Server, server.id).is_enabled


def list_by_name(server: Server, *members: Member) -> None:
    with unit_of_work() as writing:
        writing.add_all(ServerMember(server_id=server.id, member_id=each.id) for each in members)


# -- switching on


def test_a_server_that_was_never_checked_is_not_switched_on_by_one_press(admin: Browser) -> None:
    server = make_server()
    page = asked(switch(admin, server))
    assert "not been checked yet" in page.text
    assert "Check first" in page.text
    assert "Enable anyway" in page.text
    assert not is_on(server)


def test_a_failed_check_is_told_with_its_next_step_and_whose_it_is(admin: Browser) -> None:
    server = make_server()
    server_health.note(server, "fail")
    page = asked(switch(admin, server))
    assert "The last check failed: It came to: fail." in page.text
    assert "Who needs to act: Your iManage admin" in page.text
    assert not is_on(server)


def test_an_old_check_says_how_it_was_then(admin: Browser) -> None:
    server = make_server()
    server_health.note(server, "pass")
    server_health.put(server, checked_at=utcnow() - timedelta(days=3))
    page = asked(switch(admin, server))
    assert "This server was last checked" in page.text
    assert "when it was healthy" in page.text
    assert not is_on(server)


@pytest.mark.parametrize("outcome", ["pass", "warn"])
def test_a_server_whose_last_check_passed_is_switched_on_by_one_press(admin: Browser, outcome: str) -> None:
    server = make_server()
    server_health.note(server, outcome)
    answer = switch(admin, server)
    assert answer.status_code == 200
    assert "Members can now get and save documents." in read(answer, whole=False).text
    assert is_on(server)


@pytest.mark.parametrize(
    ("outcomes", "sentence"),
    [
        ((), "It has not been checked yet. Press Check connection"),
        (("fail",), "is on, but its last check failed: It came to: fail."),
    ],
)
def test_enabled_anyway_the_toast_says_only_what_is_so(
    admin: Browser, outcomes: tuple[str, ...], sentence: str
) -> None:
    server = make_server()
    server_health.note(server, *outcomes) if outcomes else None
    answer = switch(admin, server, sure="1")
    text = read(answer, whole=False).text
    assert is_on(server)
    assert sentence in text
    assert "can now get and save documents" not in text
    assert "Members can get and save documents." not in text
    assert "closeDialog" in answer.headers["HX-Trigger"]


def test_a_restricted_server_without_anybody_listed_is_not_said_to_be_open(admin: Browser) -> None:
    server = make_server(is_restricted=True)
    server_health.note(server, "pass")
    assert "no members are listed" in read(switch(admin, server), whole=False).text


def test_without_scripts_the_question_is_a_page_of_its_own(admin: Browser) -> None:
    server = make_server()
    answer = admin.post(f"{SERVERS}/{server.id}/enabled", {"enabled": "1"})
    page = read(answer, whole=True)
    assert "Enable anyway" in page.text
    assert not is_on(server)
    assert admin.post(f"{SERVERS}/{server.id}/enabled", {"enabled": "1", "sure": "1"}).status_code == 303
    assert is_on(server)


# -- switching off


def test_switching_off_names_the_transfers_that_it_stops(admin: Browser) -> None:
    server = make_server(is_enabled=True)
    make_running_transfer(server, make_member("Ada Byron"))
    page = asked(switch(admin, server, on=False))
    assert "1 running transfer will stop" in page.text
    assert "Get into “Harlow v Finch” by Ada Byron" in page.text
    assert is_on(server)
    switch(admin, server, on=False, sure="1")
    assert not is_on(server)


# -- restricting


def restrict(admin: Browser, server: Server, *members: Member, **more: str) -> TestResponse:
    version = admin.page(f"{SERVERS}/{server.id}").value_of("version")
    data = {"version": version, "restricted": "y", "member": [str(each.id) for each in members]}
    return admin.post(f"{SERVERS}/{server.id}/restriction", data | more, htmx=True)


def test_restricting_to_an_empty_list_asks_before_it_ends_sign_ins(admin: Browser) -> None:
    server = make_server(is_enabled=True)
    ada, tom = make_member("Ada Byron"), make_member("Tom Adams")
    connect(server, ada)
    connect(server, tom)
    make_running_transfer(server, tom)
    page = asked(restrict(admin, server))
    assert "3 members lose access to “London DMS”: Ada Byron, Tom Adams, Margaret Okafor" in page.text
    assert "2 sign-ins will end immediately." in page.text
    assert "1 running transfer will stop." in page.text
    assert "Nobody will have access." in page.text
    db.session.rollback()
    assert len(db.session.scalars(select(Connection)).all()) == 2
    assert restrict(admin, server, sure="1").status_code == 204
    db.session.rollback()
    assert db.session.scalars(select(Connection)).all() == []


def test_a_list_that_takes_nothing_from_anybody_is_saved_at_once(admin: Browser) -> None:
    server = make_server(is_enabled=True, is_restricted=True)
    ada, tom = make_member("Ada Byron"), make_member("Tom Adams")
    list_by_name(server, ada)
    assert restrict(admin, server, ada, tom).status_code == 204
    assert restrict(admin, make_server("Off, and nobody signed in"), ada).status_code == 204


def test_without_scripts_the_restriction_is_asked_about_on_a_page_that_keeps_the_draft(
    admin: Browser,
) -> None:
    server = make_server(is_enabled=True)
    ada = make_member("Ada Byron")
    connect(server, make_member("Tom Adams"))
    version = admin.page(f"{SERVERS}/{server.id}").value_of("version")
    data = {"version": version, "restricted": "y", "member": str(ada.id)}
    page = read(admin.post(f"{SERVERS}/{server.id}/restriction", data), whole=True)
    assert "1 member keeps access." in page.text
    assert page.value_of("member") == str(ada.id)
    sent = {name: page.value_of(name) for name in ("version", "restricted", "member", "sure")}
    assert admin.post(f"{SERVERS}/{server.id}/restriction", sent).status_code == 303


def test_a_refused_restriction_comes_back_in_its_card_with_the_draft(admin: Browser) -> None:
    server = make_server()
    guest = make_member("Gus Guest", is_guest=True)
    answer = restrict(admin, server, guest)
    assert (answer.status_code, answer.headers["HX-Retarget"]) == (422, "#who")
    assert "You can only list active members. Remove Gus Guest." in read(answer, whole=False).text


# -- groups


def listed_team(server: Server, *members: Member) -> Group:
    with unit_of_work() as writing:
        group = Group(name="Deal team", name_key="deal team")
        writing.add(group)
        writing.flush()
        writing.add_all(GroupMember(group_id=group.id, member_id=each.id) for each in members)
        writing.add(ServerGroup(server_id=server.id, group_id=group.id))
    return group


def test_taking_somebody_out_of_a_listed_group_says_what_they_lose(admin: Browser) -> None:
    server = make_server(is_enabled=True, is_restricted=True)
    ada, tom = make_member("Ada Byron"), make_member("Tom Adams")
    team = listed_team(server, ada, tom)
    list_by_name(server, tom)
    connect(server, ada)
    url = f"/admin/groups/{team.id}/members/{{}}/remove"
    page = asked(admin.post(url.format(ada.id), htmx=True))
    assert "1 member loses access to “London DMS”: Ada Byron." in page.text
    assert "1 sign-in will end immediately." in page.text
    assert members_of(team) == {ada.id, tom.id}
    assert admin.post(url.format(tom.id), htmx=True).status_code == 204
    assert members_of(team) == {ada.id}
    admin.post(url.format(ada.id), {"sure": "1"}, htmx=True)
    assert members_of(team) == set()


def test_deleting_a_listed_group_names_who_loses_what(admin: Browser) -> None:
    server = make_server(is_enabled=True, is_restricted=True)
    ada, tom = make_member("Ada Byron"), make_member("Tom Adams")
    team = listed_team(server, ada, tom)
    list_by_name(server, tom)
    text = admin.page(f"/admin/groups/{team.id}/delete", htmx=True).text
    assert "1 member loses access to “London DMS”: Ada Byron." in text
    assert "1 member keeps access." in text


def members_of(group: Group) -> set[object]:
    db.session.rollback()
    return set(db.session.scalars(select(GroupMember.member_id).where(GroupMember.group_id == group.id)))


# -- members


def test_deactivating_counts_the_transfers_that_it_calls_off(admin: Browser) -> None:
    ada = make_member("Ada Byron")
    make_running_transfer(make_server(), ada)
    text = admin.page(f"/admin/members/{ada.id}/deactivate", htmx=True).text
    assert "have 1 running transfer cancelled" in text


def test_removing_the_practice_server_says_that_what_it_kept_goes(admin: Browser) -> None:
    practice, real = make_server("Practice iManage", is_practice=True), make_server()
    text = admin.page(f"{SERVERS}/{practice.id}/remove", htmx=True).text
    assert "Everything in the practice iManage is deleted" in text
    assert "Nothing changes in iManage." not in text
    assert "Nothing changes in iManage." in admin.page(f"{SERVERS}/{real.id}/remove", htmx=True).text


def test_a_new_link_is_said_to_end_the_one_before(admin: Browser) -> None:
    admin.post("/admin/members/invitations/new", {"email": "ada@firm.test", "kind": "member"}, htmx=True)
    assert "New link replaces a link" in admin.page("/admin/members/invitations").text
