"""The consequences of ending a sign-in or losing a role are shown first."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from models import Connection, Member, Participant, Server, Transfer, db
from services.core.unit_of_work import unit_of_work
from services.matters import participants
from tests.support.matters import open_matter
from tests.support.pages import Browser, Page, read
from tests.support.people import actor_of, make_member
from tests.support.servers import connect, make_running_transfer, make_server


def asked(answer: TestResponse) -> Page:
    """The pop-up that came in place of the act."""
    assert (answer.status_code, answer.headers["HX-Retarget"]) == (422, "#dialog")
    return read(answer, whole=False)


def sign_ins() -> int:
    db.session.rollback()
    return len(db.session.scalars(select(Connection)).all())


def role_of(matter_id: uuid.UUID, member: Member) -> str | None:
    db.session.rollback()
    place = db.session.get(Participant, (matter_id, member.id), populate_existing=True)
    return place.role if place else None


def transfer_in(matter_id: uuid.UUID, member: Member) -> None:
    transfer = make_running_transfer(make_server("Paris DMS", is_enabled=True), member)
    with unit_of_work() as writing:
        writing.get_one(Transfer, transfer.id).matter_id = matter_id


@pytest.fixture
def server() -> Server:
    return make_server(is_enabled=True)


# -- a member's own sign-ins


def test_disconnecting_counts_the_transfers_that_would_wait(browser: Browser, server: Server) -> None:
    ada = make_member("Ada Byron")
    connect(server, ada)
    make_running_transfer(server, ada)
    make_running_transfer(server, make_member("Tom Adams"))
    browser.sign_in(ada)
    page = asked(browser.post(f"/disconnect/{server.id}", htmx=True))
    assert "This ends your sign-in to iManage." in page.text
    assert "1 transfer in progress waits until you sign in again." in page.text
    assert sign_ins() == 1
    answer = browser.post(f"/disconnect/{server.id}", {"sure": "1"}, htmx=True)
    assert answer.headers["HX-Redirect"] == "/account"
    assert sign_ins() == 0


def test_disconnecting_without_transfers_says_so_in_a_sentence(browser: Browser, server: Server) -> None:
    ada = make_member("Ada Byron")
    connect(server, ada)
    page = asked(browser.sign_in(ada).post(f"/disconnect/{server.id}", htmx=True))
    assert "No transfers are in progress." in page.text
    assert sign_ins() == 1


def test_disconnecting_from_all_names_each_server_and_what_waits_there(browser: Browser) -> None:
    ada = make_member("Ada Byron")
    london, paris = (make_server(name, is_enabled=True) for name in ("London DMS", "Paris DMS"))
    connect(london, ada)
    connect(paris, ada)
    make_running_transfer(paris, ada)
    make_running_transfer(paris, ada)
    browser.sign_in(ada)
    page = asked(browser.post("/disconnect", htmx=True))
    assert "This ends your sign-ins to London DMS, Paris DMS." in page.text
    assert "2 transfers in progress with Paris DMS wait until you sign in again." in page.text
    assert "with London DMS" not in page.text
    assert sign_ins() == 2


def test_of_a_server_that_is_off_nothing_is_promised(browser: Browser) -> None:
    ada, off = make_member("Ada Byron"), make_server()
    connect(off, ada)
    make_running_transfer(off, ada)
    text = asked(browser.sign_in(ada).post(f"/disconnect/{off.id}", htmx=True)).text
    assert "1 transfer in progress stops, because you cannot use that server at the moment." in text
    assert "sign in again" not in text


def test_without_scripts_disconnecting_is_asked_on_a_page_of_its_own(
    browser: Browser, server: Server
) -> None:
    ada = make_member("Ada Byron")
    connect(server, ada)
    page = read(browser.sign_in(ada).post(f"/disconnect/{server.id}"), whole=True)
    assert "This ends your sign-in to iManage." in page.text
    assert sign_ins() == 1
    sent = {"sure": page.value_of("sure")}
    assert browser.post(f"/disconnect/{server.id}", sent).headers["Location"] == "/account"
    assert sign_ins() == 0


def test_where_there_is_no_sign_in_nothing_is_asked(browser: Browser, server: Server) -> None:
    browser.sign_in(make_member("Ada Byron"))
    assert browser.post(f"/disconnect/{server.id}", htmx=True).status_code == 204
    assert browser.post("/disconnect").status_code == 303


# -- a member's sign-in, by a System Admin


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("/admin/integrations/imanage/{server}/sign-ins/{member}/end", "Nobody is signed in to this server."),
        ("/admin/members/{member}/sign-ins/{server}/end", "Not signed in to any server."),
    ],
)
def test_an_admin_is_told_what_a_members_sign_in_carries(
    browser: Browser, server: Server, address: str, place: str
) -> None:
    ada = make_member("Ada Byron")
    connect(server, ada)
    make_running_transfer(server, ada)
    browser.sign_in(make_member("Margaret Okafor", is_admin=True))
    url = address.format(server=server.id, member=ada.id)
    page = asked(browser.post(url, htmx=True))
    assert "This ends the sign-in of Ada Byron to London DMS." in page.text
    assert "1 transfer in progress waits until Ada Byron signs in again." in page.text
    assert "Disconnect Ada Byron?" in read(browser.post(url), whole=True).text
    assert sign_ins() == 1
    answer = browser.post(url, {"sure": "1"}, htmx=True)
    assert "closeDialog" in answer.headers["HX-Trigger"]
    assert place in read(answer, whole=False).text
    assert sign_ins() == 0
    assert browser.post(url, htmx=True).status_code == 200, "Someone else was faster."


def test_disconnecting_everybody_counts_the_transfers(browser: Browser, server: Server) -> None:
    ada = make_member("Ada Byron")
    connect(server, ada)
    browser.sign_in(make_member("Margaret Okafor", is_admin=True))
    url = f"/admin/integrations/imanage/{server.id}/sign-ins/end"
    assert "No transfers are in progress" in browser.page(url, htmx=True).text
    make_running_transfer(server, ada)
    assert "1 transfer in progress waits until then" in browser.page(url, htmx=True).text


# -- leaving the lead of a matter, or the matter


@pytest.mark.parametrize("role", ["editor", "viewer"])
def test_who_gives_up_the_lead_is_told_and_who_leads_then(browser: Browser, role: str) -> None:
    ann, ben = make_member("Ann Clarke"), make_member("Ben Osei")
    matter_id = open_matter(actor_of(ann), lead_2=ben)
    browser.sign_in(ann)
    url = f"/matters/{matter_id}/people/{ann.id}/role"
    answer = browser.post(url, {"role": role}, htmx=True)
    text = asked(answer).text
    assert "You will no longer be able to manage the people in this matter" in text
    assert "Another lead remains: Ben Osei." in text
    assert ("You will be able to read its documents but not change them" in text) == (role == "viewer")
    html = answer.get_data(as_text=True)
    assert '<div id="people" hx-swap-oob="innerHTML">' in html, "The select shows what is so again."
    assert role_of(matter_id, ann) == "lead"
    page = read(browser.post(url, {"role": role}), whole=True)
    assert (page.value_of("role"), page.value_of("sure")) == (role, "1")
    answer = browser.post(url, {"role": role, "sure": "1"}, htmx=True)
    assert answer.headers["HX-Redirect"] == f"/matters/{matter_id}/people"
    assert role_of(matter_id, ann) == role


def test_somebody_elses_role_and_a_bigger_one_are_given_at_once(browser: Browser) -> None:
    ann, ben = make_member("Ann Clarke"), make_member("Ben Osei")
    matter_id = open_matter(actor_of(ann), lead_2=ben)
    browser.sign_in(ann)
    for role in ("viewer", "editor", "lead"):
        url = f"/matters/{matter_id}/people/{ben.id}/role"
        assert browser.post(url, {"role": role}, htmx=True).status_code == 200
        assert role_of(matter_id, ben) == role
    assert browser.post(f"/matters/{matter_id}/people/{ann.id}/role", {"role": "lead"}).status_code == 303


def test_a_role_that_stops_transfers_says_how_many(browser: Browser) -> None:
    ann, ben = make_member("Ann Clarke"), make_member("Ben Osei")
    matter_id = open_matter(actor_of(ann), editor=ben)
    transfer_in(matter_id, ben)
    browser.sign_in(ann)
    url = f"/matters/{matter_id}/people/{ben.id}/role"
    text = asked(browser.post(url, {"role": "viewer"}, htmx=True)).text
    assert "Ben Osei will be able to read this matter’s documents, but not change, get or save them" in text
    assert "1 transfer in progress that Ben Osei started in this matter will stop." in text
    assert role_of(matter_id, ben) == "editor"
    assert browser.post(url, {"role": "lead"}, htmx=True).status_code == 200


def test_who_removes_themselves_is_told_who_leads_then(browser: Browser) -> None:
    ann, ben, eve = make_member("Ann Clarke"), make_member("Ben Osei"), make_member("Eve Adler")
    matter_id = open_matter(actor_of(ann), lead_2=ben, lead_3=eve)
    transfer_in(matter_id, ann)
    text = browser.sign_in(ann).page(f"/matters/{matter_id}/people/{ann.id}/remove", htmx=True).text
    assert "You will no longer see this matter or its documents or be able to manage its people." in text
    assert "2 other leads remain: Ben Osei, Eve Adler." in text
    assert "1 transfer in progress that you started in this matter will stop." in text


def test_the_only_lead_reads_that_they_cannot_go_before_they_press(browser: Browser) -> None:
    ann = make_member("Ann Clarke")
    matter_id = open_matter(actor_of(ann), editor=make_member("Ben Osei"))
    url = f"/matters/{matter_id}/people/{ann.id}/remove"
    browser.sign_in(ann)
    for page in (browser.page(url, htmx=True), browser.page(url)):
        assert "You are the only lead of this matter" in page.text
        assert "Make someone else a lead first." in page.text
    assert "You will no longer see" not in page.text


def test_removing_somebody_counts_the_transfers_that_stop(browser: Browser) -> None:
    ann, ben = make_member("Ann Clarke"), make_member("Ben Osei")
    matter_id = open_matter(actor_of(ann), editor=ben)
    url = f"/matters/{matter_id}/people/{ben.id}/remove"
    browser.sign_in(ann)
    assert "transfer" not in browser.page(url, htmx=True).text
    transfer_in(matter_id, ben)
    assert "that Ben Osei started in this matter will stop." in browser.page(url, htmx=True).text


def test_the_question_is_no_way_round_the_last_lead(browser: Browser) -> None:
    ann, ben = make_member("Ann Clarke"), make_member("Ben Osei")
    matter_id = open_matter(actor_of(ann), lead_2=ben)
    url = f"/matters/{matter_id}/people/{ann.id}/role"
    asked(browser.sign_in(ann).post(url, {"role": "viewer"}, htmx=True))
    participants.change_role(actor_of(ben), matter_id, ben.id, "editor")
    assert browser.post(url, {"role": "viewer", "sure": "1"}, htmx=True).status_code == 409
    assert role_of(matter_id, ann) == "lead"
