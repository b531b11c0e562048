"""Restricting a server: finding members, saving switch and list as one change, and what unlisting ends."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from models import AuditEvent, Connection, Member, OAuthState, Server, ServerMember, SignInSession, db
from services.access.server_access import available_to, require_use
from services.core.errors import NotFoundError
from services.core.unit_of_work import unit_of_work
from services.servers import restriction
from services.servers.restriction import RestrictionChange
from tests.support.pages import Browser, Page, read
from tests.support.people import actor_of, make_member
from tests.support.servers import connect, make_server

SERVERS = "/admin/integrations/imanage"


def save(admin: Browser, server: Server, *members: Member, on: bool = True, version: str = "") -> object:
    version = version or admin.page(f"{SERVERS}/{server.id}").value_of("version")
    data = {"version": version, "member": [str(each.id) for each in members], "sure": "1"}
    return admin.post(f"{SERVERS}/{server.id}/restriction", data | ({"restricted": "y"} if on else {}))


def search(admin: Browser, server: Server, text: str, *chosen: Member) -> Page:
    data = {"q": text, "member": [str(each.id) for each in chosen]}
    return read(admin.post(f"{SERVERS}/{server.id}/restriction/search", data, htmx=True), whole=False)


def listed(server: Server) -> set[uuid.UUID]:
    db.session.rollback()
    return set(db.session.scalars(select(ServerMember.member_id).where(ServerMember.server_id == server.id)))


def test_switch_and_list_are_saved_as_one_change(admin: Browser) -> None:
    server = make_server(is_enabled=True)
    ada, tom, zoe = make_member("Ada Byron"), make_member("Tom Adams"), make_member("Zoë")
    assert save(admin, server, ada, tom).status_code == 303
    page = admin.page(f"{SERVERS}/{server.id}")
    assert "Saved. Only 2 members can use the server." in page.text
    assert "Restrict the server to let a few members test it" in page.text
    assert "Restricted (2)" in page.text
    assert [bool(available_to(actor_of(each))) for each in (ada, tom, zoe)] == [True, True, False]
    assert save(admin, server, zoe).status_code == 303
    assert listed(server) == {zoe.id}
    told = db.session.scalars(select(AuditEvent).order_by(AuditEvent.at.desc())).first()
    assert told is not None
    assert (told.action, told.detail["added"]) == ("server.restriction_changed", [zoe.email])
    assert sorted(told.detail["removed"]) == sorted([ada.email, tom.email])


def test_a_list_is_kept_while_the_switch_is_off(admin: Browser) -> None:
    server = make_server(is_enabled=True)
    ada = make_member("Ada Byron")
    save(admin, server, ada, on=False)
    assert listed(server) == {ada.id}
    assert available_to(actor_of(make_member()))
    assert (
        "1 member is listed in case you switch on the restriction."
        in admin.page(f"{SERVERS}/{server.id}").text
    )
    assert "Restricted (" not in admin.page(SERVERS).text


def test_a_save_that_changes_nothing_leaves_no_event(admin: Browser) -> None:
    server = make_server()
    save(admin, server, on=False)
    assert "Nothing has changed" in admin.page(f"{SERVERS}/{server.id}").text
    assert db.session.scalars(select(AuditEvent)).all() == []


def test_restricting_to_nobody_is_warned_of(admin: Browser) -> None:
    server = make_server()
    save(admin, server)
    assert "No members are listed, so nobody can use" in admin.page(f"{SERVERS}/{server.id}").text


def test_unlisting_ends_the_use_at_once_and_deletes_the_tokens(admin: Browser) -> None:
    server, other = make_server(is_enabled=True), make_server("Other", is_enabled=True)
    ada, tom = make_member("Ada Byron"), make_member("Tom Adams")
    for member in (ada, tom):
        connect(server, member)
        connect(other, member)
        begin_sign_in(server, member)
    save(admin, server, ada)
    assert "1 sign-in has ended." in admin.page(f"{SERVERS}/{server.id}").text
    db.session.rollback()
    kept = db.session.execute(select(Connection.server_id, Connection.member_id)).all()
    assert set(kept) == {(server.id, ada.id), (other.id, ada.id), (other.id, tom.id)}
    assert db.session.scalars(select(OAuthState.member_id)).all() == [ada.id]
    assert require_use(ada.id, server.id).id == server.id
    with pytest.raises(NotFoundError):
        require_use(tom.id, server.id)


def begin_sign_in(server: Server, member: Member) -> None:
    actor_of(member)
    with unit_of_work() as session:
        browser_session = session.scalars(
            select(SignInSession).where(SignInSession.member_id == member.id)
        ).first()
        assert browser_session is not None
        session.add(
            OAuthState(
                state_hash=uuid.uuid4().hex,
                session_id=browser_session.id,
                member_id=member.id,
                server_id=server.id,
                server_changed_at=datetime.now(UTC),
                verifier="-",
                return_to="/",
            )
        )


def test_members_are_found_by_name_or_e_mail_and_guests_never(admin: Browser) -> None:
    server = make_server()
    make_member("Zoë Ångström", email="za@firm.test")
    make_member("Tom Adams", email="tom.zoe@firm.test")
    make_member("Zoe Guest", is_guest=True)
    make_member("Zoe Gone", is_active=False)
    text = search(admin, server, "zoe").text
    assert "Zoë Ångström" in text
    assert "tom.zoe@firm.test" in text
    assert "Guest" not in text
    assert "Zoe Gone" not in text
    assert "Zoë" in search(admin, server, "ANGSTROM").text
    assert "Zoë" not in search(admin, server, "").text


@pytest.mark.parametrize("text", ["%", "_", "%%", "o_", "\\", "'; drop table member --", "\x00", "x" * 5000])
def test_wildcards_and_odd_searches_find_only_what_they_say(admin: Browser, text: str) -> None:
    server = make_server()
    make_member("Zoë Ångström")
    found = search(admin, server, text)
    assert "Zoë" not in found.text
    assert "Margaret" not in found.text


def test_a_percent_sign_in_a_name_is_found(admin: Browser) -> None:
    server = make_server()
    make_member("Ada 100% Byron")
    make_member("Ada 1000 Byron")
    text = search(admin, server, "100%").text
    assert "100%" in text
    assert "1000" not in text


def test_the_first_twenty_are_shown_and_the_chosen_left_out(admin: Browser) -> None:
    server = make_server()
    members = [make_member(f"Ada {number:02}") for number in range(25)]
    page = search(admin, server, "ada")
    assert page.html.count('class="cp-result"') == 20
    assert "Showing the first 20." in page.text
    fewer = search(admin, server, "ada", *members[:8])
    assert "Ada 07" not in fewer.text
    assert "Ada 24" in fewer.text


def test_one_press_adds_and_the_list_so_far_is_kept(admin: Browser) -> None:
    server = make_server()
    ada, tom = make_member("Ada Byron"), make_member("Tom Adams")
    data = {"q": "member", "member": [str(ada.id)], "add": str(tom.id)}
    page = read(
        admin.post(f"{SERVERS}/{server.id}/restriction/chosen", data | {"q": "a"}, htmx=True), whole=False
    )
    chosen = [each["value"] for each in page.controls if each.get("name") == "member"]
    assert chosen == [str(ada.id), str(tom.id)]
    assert page.value_of("q") == "a"
    assert listed(server) == set()


def test_the_cross_of_a_chip_works_without_scripts(admin: Browser) -> None:
    server = make_server()
    ada, tom = make_member("Ada Byron"), make_member("Tom Adams")
    data = {"member": [str(ada.id), str(tom.id)], "remove": str(tom.id), "restricted": "y"}
    page = read(admin.post(f"{SERVERS}/{server.id}/restriction", data), whole=True)
    assert [each["value"] for each in page.controls if each.get("name") == "member"] == [str(ada.id)]
    assert 'data-guard="unsaved"' in page.html
    assert listed(server) == set()


def test_a_restriction_saved_elsewhere_is_noticed_and_nothing_chosen_is_lost(admin: Browser) -> None:
    server = make_server()
    ada, tom = make_member("Ada Byron"), make_member("Tom Adams")
    opened = admin.page(f"{SERVERS}/{server.id}").value_of("version")
    save(admin, server, tom)
    answer = save(admin, server, ada, version=opened)
    page = read(answer, whole=True)
    assert answer.status_code == 422
    assert "Someone else has changed this" in page.text
    assert "the server is now restricted to Tom Adams." in page.text
    assert [each["value"] for each in page.controls if each.get("name") == "member"] == [str(ada.id)]
    assert listed(server) == {tom.id}
    assert save(admin, server, ada, version=page.value_of("version")).status_code == 303
    assert listed(server) == {ada.id}


def test_switching_the_server_on_meanwhile_does_not_make_the_form_stale(admin: Browser) -> None:
    server = make_server()
    opened = admin.page(f"{SERVERS}/{server.id}").value_of("version")
    admin.post(f"{SERVERS}/{server.id}/enabled", {"enabled": "1", "sure": "1"})
    assert save(admin, server, make_member(), version=opened).status_code == 303


def test_guests_and_inactive_members_cannot_be_listed_by_a_direct_request(admin: Browser) -> None:
    server = make_server()
    for person in (make_member("Gus Guest", is_guest=True), make_member("Ina Active", is_active=False)):
        answer = save(admin, server, person)
        assert answer.status_code == 422
        assert f"You can only list active members. Remove {person.name}." in read(answer, whole=True).text
    assert listed(server) == set()


def test_a_listed_member_who_became_inactive_stays_until_removed(admin: Browser) -> None:
    server = make_server()
    ada = make_member("Ada Byron")
    save(admin, server, ada)
    with unit_of_work() as session:
        row = session.get(Member, ada.id)
        assert row is not None
        row.is_active = False
    assert "Not active" in admin.page(f"{SERVERS}/{server.id}").text
    tom = make_member("Tom Adams")
    assert save(admin, server, ada, tom).status_code == 303
    assert listed(server) == {ada.id, tom.id}


def test_ids_that_are_none_are_left_out(admin: Browser) -> None:
    server = make_server()
    version = admin.page(f"{SERVERS}/{server.id}").value_of("version")
    data = {"version": version, "restricted": "y", "member": ["", "nobody", str(uuid.uuid4())]}
    assert admin.post(f"{SERVERS}/{server.id}/restriction", data).status_code == 303
    assert listed(server) == set()


def test_only_admins_reach_the_service(database: None) -> None:
    server = make_server()
    member = actor_of(make_member())
    wanted = RestrictionChange(True, (member.id,), "")
    for call in (
        lambda: restriction.save(member, server.id, wanted),
        lambda: restriction.restriction(member, server.id),
        lambda: restriction.find_people(member, "a"),
    ):
        with pytest.raises(restriction.permissions.ForbiddenError):
            call()
