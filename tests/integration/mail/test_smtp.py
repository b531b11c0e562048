"""Mails when a transfer ends: on record in the same commit, sent once, silent where they must be."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from models import Mail, Member, Participant, utcnow
from services.core import runtime
from services.core.unit_of_work import session, unit_of_work
from services.mail import outbox, smtp
from tests.support.matters import add_server
from tests.support.people import make_member
from tests.support.smtp import Mailbox, mail_server
from tests.support.transfer_rows import make_transfer
from tests.support.transfers import make_matter


@pytest.fixture
def box(database: None) -> Iterator[Mailbox]:
    with mail_server() as box:
        yield box


@pytest.fixture
def member(database: None) -> Member:
    return make_member("Alice Archer", email="alice@firm.test")


def end(member: Member, *states: str, **more: object) -> uuid.UUID:
    matter_id = make_matter(member.id, str(more.pop("matter", "Project Heron")))
    return make_transfer(member.id, matter_id, add_server(), states, **more)


def only_mail() -> Mail:
    session().rollback()
    return session().scalars(select(Mail)).one()


def skip_wait() -> None:
    with unit_of_work() as writing:
        writing.execute(update(Mail).values(due_at=utcnow() - timedelta(seconds=1)))


def test_what_arrived_what_failed_and_whose_step_it_is(box: Mailbox, member: Member) -> None:
    transfer_id = end(
        member,
        *["done"] * 198,
        *["failed"] * 2,
        error_sentence="You do not have permission to do this in iManage.",
        next_step="Ask your iManage admin for access.",
    )
    assert smtp.send_due() == 1
    (message,) = box.messages
    assert box.recipients == ["alice@firm.test"]
    assert message["Subject"] == "200 documents from iManage: 198 arrived, 2 failed"
    assert message["To"] == "alice@firm.test"
    assert message["From"] == "Counterpart <counterpart@firm.test>"
    assert message.get_content_type() == "text/plain"
    text = message.get_content()
    assert "200 documents from iManage: 198 arrived, 2 failed." in text
    assert "Matter: Project Heron" in text
    assert "- Document 199.docx" in text
    assert "You do not have permission to do this in iManage. Ask your iManage admin for access." in text
    assert f"http://127.0.0.1:8000/transfers/{transfer_id}" in text


def test_a_mail_is_sent_once(box: Mailbox, member: Member) -> None:
    end(member, "done")
    assert [smtp.send_due(), smtp.send_due()] == [1, 0]
    skip_wait()
    assert smtp.send_due() == 0
    assert len(box.raw) == 1
    assert only_mail().outcome == "Sent."


def test_one_worker_takes_it(box: Mailbox, member: Member) -> None:
    end(member, "done")
    (mail_id,) = outbox.due(10)
    assert outbox.claim(mail_id) is not None
    assert outbox.claim(mail_id) is None
    assert outbox.due(10) == []


def test_a_running_transfer_is_no_news(box: Mailbox, member: Member) -> None:
    end(member, "done", "waiting")
    assert session().scalars(select(Mail)).all() == []
    assert smtp.send_due() == 0 and box.connections == 0


def test_without_a_mail_server_nothing_is_put_by(member: Member) -> None:
    end(member, "done")
    assert session().scalars(select(Mail)).all() == []
    assert smtp.send_due() == 0


@pytest.mark.parametrize("change", ["switched_off", "inactive", "guest", "not_in_matter"])
def test_nobody_is_told_who_should_not_be(box: Mailbox, member: Member, change: str) -> None:
    end(member, "done")
    with unit_of_work() as writing:
        row = writing.get_one(Member, member.id)
        row.wants_mail = change != "switched_off"
        row.is_active = change != "inactive"
        row.is_guest = change == "guest"
        if change == "not_in_matter":
            for place in writing.scalars(select(Participant)):
                writing.delete(place)
    assert smtp.send_due() == 0
    assert box.raw == []
    assert only_mail().closed_at is not None


def test_a_transfer_cancelled_by_its_reader_is_no_news(box: Mailbox, member: Member) -> None:
    end(member, "stopped", error_code="transfer.cancelled")
    assert smtp.send_due() == 0 and box.raw == []


def test_a_server_that_its_reader_may_no_longer_use_is_not_named(box: Mailbox, member: Member) -> None:
    matter_id = make_matter(member.id)
    make_transfer(member.id, matter_id, add_server("Secret DMS", is_enabled=False), ["done"])
    assert smtp.send_due() == 1
    assert b"Secret" not in box.raw[0]


def test_names_from_outside_make_no_headers(box: Mailbox, member: Member) -> None:
    hostile = "Lease\r\nBcc: eve@evil.test\r\n\r\nClick \u202ehere"
    end(member, "failed", name=hostile, matter="Heron\r\nBcc: eve@evil.test")
    assert smtp.send_due() == 1
    (message,) = box.messages
    assert message["Bcc"] is None
    assert box.recipients == ["alice@firm.test"]
    text = message.get_content().replace("\r\n", "\n")
    named = "Lease[U+000D][U+000A]Bcc: eve@evil.test[U+000D][U+000A][U+000D][U+000A]Click [U+202E]here"
    assert f"\n- {named}\n" in text
    assert message["Subject"] == f"We could not get {named} from iManage"
    assert "\nBcc:" not in text


@pytest.mark.parametrize("verb", ["RCPT", "DATA"])
def test_what_the_mail_server_refuses_for_good_is_not_sent_again(
    box: Mailbox, member: Member, verb: str
) -> None:
    box.refusals[verb] = "550 No such user alice"
    end(member, "done")
    assert smtp.send_due() == 0
    row = only_mail()
    assert row.closed_at is not None and "550" in row.outcome and "alice" not in row.outcome


def test_what_it_refuses_for_now_is_tried_again_later(box: Mailbox, member: Member) -> None:
    box.refusals["RCPT"] = "451 Come back later"
    end(member, "done")
    assert smtp.send_due() == 0
    row = only_mail()
    assert row.closed_at is None and row.attempt == 1 and row.due_at > utcnow() + timedelta(seconds=50)
    box.refusals.clear()
    assert smtp.send_due() == 0
    skip_wait()
    assert smtp.send_due() == 1


def test_a_refused_mail_keeps_no_other_from_being_sent(box: Mailbox, member: Member) -> None:
    make_transfer(member.id, make_matter(member.id), None, ["done"])
    other = make_member("Bram", email="bram@firm.test")
    make_transfer(other.id, make_matter(other.id), None, ["done"])
    with unit_of_work() as writing:
        writing.execute(update(Member).where(Member.id == member.id).values(email="not an address"))
    assert smtp.send_due() == 1
    assert box.recipients == ["bram@firm.test"]
    assert box.connections == 1


def test_a_line_that_breaks_is_taken_up_again(box: Mailbox, member: Member) -> None:
    box.hang_up_at = "DATA"
    end(member, "done")
    assert smtp.send_due() == 0
    assert only_mail().closed_at is None
    box.hang_up_at = ""
    skip_wait()
    assert smtp.send_due() == 1
    assert box.messages[0]["Message-ID"] == f"<{only_mail().id}@firm.test>"


def test_a_mail_server_that_is_away_costs_nothing(box: Mailbox, member: Member) -> None:
    end(member, "done")
    usual = runtime.runtime()
    runtime.bind(replace(usual, settings=replace(usual.settings, smtp_url="smtp://127.0.0.1:1")))
    assert smtp.send_due() == 0
    runtime.bind(usual)
    assert only_mail().attempt == 0
    assert smtp.send_due() == 1


def test_after_the_last_try_it_is_given_up(box: Mailbox, member: Member) -> None:
    box.refusals["RCPT"] = "451 Come back later"
    end(member, "done")
    for _ in range(outbox.MAX_ATTEMPTS):
        skip_wait()
        smtp.send_due()
    assert only_mail().outcome.startswith("Given up: ")
    assert only_mail().closed_at is not None


def test_a_password_is_never_sent_in_the_clear_to_another_machine(
    box: Mailbox, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "LOOPBACK", frozenset())
    usual = runtime.runtime()
    url = usual.settings.smtp_url.replace("//", "//alice:hunter2@")
    runtime.bind(replace(usual, settings=replace(usual.settings, smtp_url=url)))
    end(member, "done")
    assert smtp.send_due() == 0
    assert box.raw == [] and box.connections == 1
