"""The watch against the practice iManage: changes are found by its events or within the hour, losses are told."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from models import AuditEvent, ChangeCursor, Connection, Document, Link, Mail, TwinWatch, utcnow
from services.connections import disconnecting
from services.core.unit_of_work import session, unit_of_work
from services.drift import board, losses, watch
from services.mail import smtp
from services.matters import participants, recycle_bin
from services.servers import server_facts
from services.transfers import update_check
from services.transfers.twin_states import TwinState
from simulator import Fault, Security
from simulator.values import Document as Twin
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member
from tests.support.practice import sign_in_to_imanage
from tests.support.smtp import Mailbox, mail_server
from tests.support.transfers import Desk, carry_all, get

NAME = "Lease of the wharf"
CLOSED = Security("private", (("ALICE", "no_access"),))


@pytest.fixture
def box(database: None) -> Iterator[Mailbox]:
    with mail_server() as box:
        yield box


@pytest.fixture
def there(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Twin:
    """A document that was got, followed by its events from now on; the watch does not wait between its calls."""
    monkeypatch.setattr(watch, "PACE_SECONDS", 0.0)
    monkeypatch.setattr(watch, "POLL_EVERY", timedelta(0))
    monkeypatch.setattr(watch, "RUN_SECONDS", 1.0)
    monkeypatch.setattr(watch, "_libraries_read", float("-inf"))
    world = desk.practice.world
    folder = world.folder("Drafts", "Active")
    for older in [each for each in world.documents_in(folder) if each.latest.name == NAME]:
        world.remove_document(older)
    made = world.add_document(folder, NAME, "docx", b"Text of the lease", "BRAM")
    carry_all(get(desk, made.id()))
    return made


def run(desk: Desk) -> list[str]:
    """Run the watch once; the paths that it asked for."""
    desk.practice.forget_requests()
    watch.check_due()
    losses.tell()
    session().rollback()
    return [call.path.rpartition("/")[2] for call in desk.practice.requests]


def state(desk: Desk) -> TwinState:
    (statuses,) = board.twins(desk.actor, desk.matter_id).statuses.values()
    return statuses[0].state


def age(**values: timedelta) -> None:
    """As if the links had been checked, and were due, that long ago."""
    with unit_of_work() as writing:
        writing.execute(update(Link).values({name: utcnow() - ago for name, ago in values.items()}))


def due_in() -> timedelta:
    return session().scalars(select(Link.check_at)).one() - utcnow()


def once_polled(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on each run polls once."""
    monkeypatch.setattr(watch, "POLL_EVERY", timedelta(hours=1))
    with unit_of_work() as writing:
        writing.execute(update(ChangeCursor).values(poll_at=utcnow()))


def test_events_lead_to_what_changed(desk: Desk, there: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    once_polled(monkeypatch)
    assert run(desk) == ["change-events"]
    once_polled(monkeypatch)
    assert run(desk) == ["change-events"] and state(desk) is TwinState.SAME
    desk.practice.world.add_version(there, b"Bram's", "BRAM")
    once_polled(monkeypatch)
    assert run(desk) == ["change-events", there.id()]
    assert state(desk) is TwinState.NEWER
    assert due_in() > timedelta(hours=19)


def test_without_events_within_the_hour(desk: Desk, there: Twin) -> None:
    desk.practice.settings.update({"change_events": False})
    assert run(desk) == ["change-events"]
    assert server_facts.of(desk.server).change_events is False
    assert run(desk) == [] and timedelta(minutes=50) < due_in() < timedelta(minutes=56)
    desk.practice.world.add_version(there, b"Bram's", "BRAM")
    age(check_at=timedelta(seconds=1))
    assert run(desk) == [there.id()] and state(desk) is TwinState.NEWER
    assert timedelta(minutes=50) < due_in() < timedelta(minutes=56)


@pytest.mark.parametrize(("loss", "found"), [("closed", TwinState.NO_ACCESS), ("deleted", TwinState.LOST)])
def test_a_loss_is_told_once_and_decided(
    desk: Desk, there: Twin, box: Mailbox, monkeypatch: pytest.MonkeyPatch, loss: str, found: TwinState
) -> None:
    once_polled(monkeypatch)
    run(desk)
    if loss == "closed":
        desk.practice.world.put_document(replace(there, security=CLOSED))
    else:
        desk.practice.world.remove_document(there)
    once_polled(monkeypatch)
    run(desk)
    assert state(desk) is found
    assert smtp.send_due() == 1
    (message,) = box.messages
    text = message.get_content()
    assert message["Subject"] == "Access in iManage has ended: Project Heron"
    assert f"{NAME}.docx" in text and found.label in text and f"/matters/{desk.matter_id}/drift" in text
    event = session().query(AuditEvent).filter_by(action="access_lost.found").one()
    assert event.detail["found"] == found.label

    age(check_at=timedelta(seconds=1))
    run(desk)
    assert smtp.send_due() == 0
    page = desk.browser.page(f"/matters/{desk.matter_id}/drift").text
    assert "1 document can no longer be opened in iManage" in page
    url = f"/matters/{desk.matter_id}/drift/{desk.server.id}/access"
    document_id = str(session().scalars(select(Link.document_id)).one())
    desk.browser.post(url, {"document": document_id, "choice": "keep", "reason": "Closing set"})
    assert board.twins(desk.actor, desk.matter_id).undecided == 0
    decided = session().query(AuditEvent).filter_by(action="access_lost.decided").one()
    assert (decided.detail["choice"], decided.detail["reason"]) == ("keep", "Closing set")
    assert "can no longer be opened" not in desk.browser.page(f"/matters/{desk.matter_id}/drift").text


def test_our_copy_is_held_for_members(desk: Desk, there: Twin) -> None:
    document_id = session().scalars(select(Link.document_id)).one()
    assert session().get_one(Document, document_id).guest_version_id is not None
    with unit_of_work() as writing:
        writing.execute(update(Link).values(state="forbidden"))
    url = f"/matters/{desk.matter_id}/drift/{desk.server.id}/access"
    assert desk.browser.post(url, {"document": str(document_id), "choice": "hold"}).status_code == 303
    session().rollback()
    assert session().get_one(Document, document_id).guest_version_id is None
    assert board.twins(desk.actor, desk.matter_id).undecided == 0


def test_our_copy_goes_into_the_bin(desk: Desk, there: Twin) -> None:
    document_id = session().scalars(select(Link.document_id)).one()
    with unit_of_work() as writing:
        writing.execute(update(Link).values(state="lost"))
    losses.tell()
    url = f"/matters/{desk.matter_id}/drift/{desk.server.id}/access"
    assert desk.browser.post(url, {"document": str(document_id)}).status_code == 422
    assert desk.browser.post(url, {"document": str(document_id), "choice": "remove"}).status_code == 303
    session().rollback()
    assert session().get_one(Document, document_id).binned_from_id == desk.matter_id
    age(check_at=timedelta(seconds=1))
    assert there.id() not in run(desk)
    recycle_bin.restore_document(desk.actor, document_id)
    assert board.twins(desk.actor, desk.matter_id).undecided == 0


def test_access_that_comes_back_can_be_lost_again(
    desk: Desk, there: Twin, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    once_polled(monkeypatch)
    run(desk)
    for closed in (True, False, True):
        security = CLOSED if closed else there.security
        desk.practice.world.put_document(replace(there, security=security))
        once_polled(monkeypatch)
        run(desk)
        assert smtp.send_due() == closed


def test_a_closed_workspace_concerns_every_document(
    desk: Desk, there: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    once_polled(monkeypatch)
    run(desk)
    world = desk.practice.world
    folder = world.folder("Drafts", "Active")
    world.put_container(replace(folder, security=CLOSED))
    try:
        once_polled(monkeypatch)
        assert run(desk) == ["change-events", there.id()]
    finally:
        world.put_container(folder)


def test_opening_a_matter_makes_it_the_next(desk: Desk, there: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    once_polled(monkeypatch)
    run(desk)
    url = f"/matters/{desk.matter_id}/drift/opened"
    assert "waiting to be checked" not in desk.browser.post(url).get_data(as_text=True)
    age(checked_at=timedelta(minutes=6))
    assert "1 document is waiting to be checked in iManage." in desk.browser.post(url).get_data(as_text=True)
    assert run(desk) == [there.id()]
    assert "All checked since" in desk.browser.page(f"/matters/{desk.matter_id}/_states", htmx=True).text


def test_a_sweep_continues_in_the_background(
    desk: Desk, there: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = desk.practice.world
    other = world.add_document(world.folder("Drafts", "Active"), "Schedule", "docx", b"Text", "BRAM")
    carry_all(get(desk, other.id()))
    once_polled(monkeypatch)
    run(desk)
    age(checked_at=timedelta(minutes=6))
    monkeypatch.setattr(update_check, "SECONDS", -1.0)
    assert watch.sweep(desk.actor, desk.matter_id).endswith(" 1 more is checked in the background.")
    assert len(run(desk)) == 1


def test_only_sign_ins_of_those_who_used_it_and_of_leads(desk: Desk, there: Twin) -> None:
    """Another editor's sign-in says nothing about the access of those who got the document."""
    editor = make_member("Edda")
    participants.add(desk.actor, desk.matter_id, editor.id, "editor")
    with unit_of_work() as writing:
        writing.execute(update(Connection).values(member_id=editor.id))
        writing.execute(update(ChangeCursor).values(poll_at=utcnow() + timedelta(hours=1)))
    age(check_at=timedelta(seconds=1), checked_at=timedelta(minutes=6))
    assert run(desk) == []
    assert due_in() > timedelta(minutes=50)
    answer = desk.browser.post(f"/matters/{desk.matter_id}/drift/opened").get_data(as_text=True)
    assert "Not checked automatically" in answer
    participants.change_role(desk.actor, desk.matter_id, editor.id, "lead")
    age(check_at=timedelta(seconds=1))
    assert there.id() in run(desk)


def test_an_editor_who_may_not_see_it_is_no_loss(desk: Desk, there: Twin, app: Flask) -> None:
    """Their own check says *No access*; the watch asks as those who got it, and nobody is told."""
    editor = make_member("Dmitri", email="dmitri@practice.example")
    participants.add(desk.actor, desk.matter_id, editor.id, "editor")
    browser = Browser(app).sign_in(editor)
    sign_in_to_imanage(browser, desk.server.id, "DMITRI")
    security = Security("private", (("ALICE", "full_access"),))
    desk.practice.world.put_document(replace(there, security=security))
    update_check.check(actor_of(editor), desk.matter_id)
    assert state(desk) in board.OUT_OF_REACH
    assert losses.tell() == 0
    assert there.id() in run(desk) and state(desk) is TwinState.SAME


def test_nobody_is_signed_in(desk: Desk, there: Twin) -> None:
    disconnecting.disconnect(desk.actor, desk.server.id)
    age(check_at=timedelta(seconds=1))
    assert run(desk) == [] and state(desk) is TwinState.SAME


def test_a_server_that_fails_is_left_for_a_while(desk: Desk, there: Twin) -> None:
    desk.practice.faults.add(Fault("status", status=503, path="", times=None))
    age(check_at=timedelta(seconds=1))
    run(desk)
    until = session().scalars(select(TwinWatch.leased_until)).one()
    assert until > utcnow() + timedelta(minutes=4)
    desk.practice.faults.clear()
    assert run(desk) == []


def test_a_position_that_is_not_known_any_more_starts_anew(
    desk: Desk, there: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    once_polled(monkeypatch)
    run(desk)
    desk.practice.faults.add(Fault("status", status=400, path="change-events", times=1))
    once_polled(monkeypatch)
    age(check_at=timedelta(days=-1))
    assert run(desk) == ["change-events", there.id(), "change-events"]


def test_one_call_a_second_and_one_worker_at_a_time(
    desk: Desk, there: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "PACE_SECONDS", 0.2)
    monkeypatch.setattr(watch, "POLL_EVERY", timedelta(hours=1))
    age(check_at=timedelta(seconds=1))
    began = time.monotonic()
    assert len(run(desk)) == 2
    assert time.monotonic() - began >= 0.2
    age(check_at=timedelta(seconds=1))
    with unit_of_work() as writing:
        writing.execute(update(TwinWatch).values(leased_until=utcnow() + timedelta(minutes=1)))
    assert run(desk) == []
    with unit_of_work() as writing:
        writing.execute(update(TwinWatch).values(leased_until=utcnow()))
    assert run(desk) == [there.id()]


def test_a_lead_who_may_not_use_the_server_gets_no_mail(desk: Desk, there: Twin, box: Mailbox) -> None:
    other = make_member("Otto")
    participants.add(desk.actor, desk.matter_id, other.id, "lead")
    with unit_of_work() as writing:
        writing.execute(update(Link).values(state="lost", checked_by_id=desk.actor.id))
        writing.merge(desk.server).is_restricted = True
    losses.tell()
    assert len(session().scalars(select(Mail)).all()) == 2
    smtp.send_due()
    assert box.messages == []
    assert uuid.UUID(session().scalars(select(Mail.about)).first() or "") == desk.matter_id
