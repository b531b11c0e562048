"""A mail server that fails: whose fault it is, what waits for it, and who is told why."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from models import AuditEvent, Mail, Member, utcnow
from services.core import runtime
from services.core.unit_of_work import session, unit_of_work
from services.directory import details as directory_details
from services.directory.details import Details
from services.mail import connection as mail_connection
from services.mail import outbox, server_state, smtp
from services.members.invitations import NewInvitation, invite
from services.operations import installation_health
from tests.support.authority import DAY, Authority
from tests.support.loopback_servers import line
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member
from tests.support.settings import change_settings
from tests.support.smtp import Mailbox
from tests.support.smtp import mail_server as running_mail_server
from tests.support.transfer_rows import make_transfer
from tests.support.transfers import make_matter


@pytest.fixture
def box(database: None) -> Iterator[Mailbox]:
    with running_mail_server() as box:
        yield box


def end(member: Member) -> None:
    make_transfer(member.id, make_matter(member.id), None, ["done"])


def mails() -> list[Mail]:
    session().rollback()
    return list(session().scalars(select(Mail).order_by(Mail.created_at)))


def skip_wait() -> None:
    with unit_of_work() as writing:
        writing.execute(update(Mail).values(due_at=utcnow() - timedelta(seconds=1)))


def told() -> list[tuple[str, str]]:
    rows = session().execute(
        select(AuditEvent.action, AuditEvent.subject)
        .where(AuditEvent.action.like("mail.%"))
        .order_by(AuditEvent.at)
    )
    return [(action, subject) for action, subject in rows]


REFUSALS_OF_US = [
    ("MAIL", "550 5.7.1 Sender not allowed", "sender address (550)"),
    ("MAIL", "450 Try later", "sender address (450)"),
    ("RCPT", "550 5.7.54 Unable to relay recipient in non-accepted domain", "does not let Counterpart"),
    ("RCPT", "530 Authentication required", "does not let Counterpart"),
    (
        "DATA",
        "550 5.7.60 Client does not have permissions to send as this sender",
        "does not let Counterpart",
    ),
    ("EHLO", "554 Go away", "refused the connection (554)"),
]


@pytest.mark.parametrize(("verb", "answer", "reason"), REFUSALS_OF_US)
def test_what_is_refused_because_of_us_waits_however_often_it_is_refused(
    box: Mailbox, ada: Member, verb: str, answer: str, reason: str
) -> None:
    box.refusals |= {verb: answer} | ({"HELO": answer} if verb == "EHLO" else {})
    end(ada)
    for _ in range(outbox.MAX_ATTEMPTS + 2):
        skip_wait()
        assert smtp.send_due() == 0
    (row,) = mails()
    assert row.closed_at is None and row.attempt == 0
    failing = server_state.failing()
    assert failing is not None and reason in failing.reason and failing.next_step
    box.refusals.clear()
    skip_wait()
    assert smtp.send_due() == 1
    assert server_state.failing() is None
    assert [action for action, _ in told()] == ["mail.failing", "mail.sent_again"]


def test_a_refused_sender_asks_nothing_of_the_other_mails(box: Mailbox, ada: Member) -> None:
    box.refusals["MAIL"] = "550 5.7.1 Sender not allowed"
    for _ in range(3):
        end(ada)
    assert smtp.send_due() == 0
    assert [row.attempt for row in mails()] == [0, 0, 0]
    assert [bool(row.outcome) for row in mails()].count(True) == 1


def test_one_reader_that_policy_forbids_keeps_no_other_from_their_mail(box: Mailbox, ada: Member) -> None:
    end(ada)
    end(make_member("Bram", email="bram@firm.test"))
    box.refusals["RCPT ada@firm.test"] = "550 5.7.1 Not to this list"
    assert smtp.send_due() == 1
    assert box.recipients == ["bram@firm.test"]
    assert server_state.failing() is None
    assert sorted((row.closed_at is None, row.outcome) for row in mails()) == [
        (False, "Sent."),
        (True, "The mail server does not let Counterpart send email (550)."),
    ]


@pytest.mark.parametrize(
    ("dates", "trusted", "reason"),
    [
        ({"ends": -DAY, "begins": -9 * DAY}, True, "has expired"),
        ({}, False, "authority that this machine does not trust"),
    ],
)
def test_a_certificate_that_is_not_good_is_told_with_its_fault(
    ada: Member,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    dates: dict[str, timedelta],
    trusted: bool,
    reason: str,
) -> None:
    authority = Authority()
    (tmp_path / "authority.pem").write_text(authority.pem)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    with running_mail_server(authority.context(tmp_path, "127.0.0.1", **dates)) as box:
        end(ada)
        assert smtp.send_due() == 0 and box.raw == []
    ((action, sentence),) = told()
    assert action == "mail.failing" and "certificate" in sentence and reason in sentence


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("smtp://127.0.0.1:1", "The mail server’s port is closed."),
        ("smtp://mail.invalid:25", "The mail server’s name was not found."),
        ("smtps://127.0.0.1:{port}", "The mail server did not set up an encrypted connection."),
    ],
)
def test_a_mail_server_that_cannot_be_reached_is_told_with_its_reason(
    box: Mailbox, ada: Member, url: str, reason: str
) -> None:
    end(ada)
    with_url(url.format(port=box.port))
    assert smtp.send_due() == 0
    failing = server_state.failing()
    assert failing is not None and failing.reason == reason
    check = next(check for check in installation_health.all_checks() if check.name == "mail")
    assert check.state == installation_health.FAIL and reason in check.sentence and check.next_step
    assert told() == [("mail.failing", reason)]


def test_a_greeting_that_turns_us_away_is_told(box: Mailbox, ada: Member) -> None:
    end(ada)
    box.greeting = "554 No service for you"
    assert smtp.send_due() == 0
    failing = server_state.failing()
    assert failing is not None and "(554)" in failing.reason and "No service" not in failing.reason


def test_no_reason_names_a_class_of_python(box: Mailbox, ada: Member) -> None:
    end(ada)
    for verb in ("EHLO", "MAIL", "RCPT", "DATA"):
        box.hang_up_at = verb
        skip_wait()
        assert smtp.send_due() == 0
        failing = server_state.failing()
        assert failing is not None and failing.reason == "The mail server ended the connection."
    assert len(told()) == 1


@pytest.mark.parametrize("verb", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "BODY"])
def test_a_mail_server_that_trickles_is_left_at_one_deadline(
    box: Mailbox, ada: Member, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """Each of its bytes comes well within the time-out of one silence."""
    monkeypatch.setattr(mail_connection, "OPENING_SECONDS", 1.0)
    monkeypatch.setattr(mail_connection, "MAIL_SECONDS", 1.0)
    end(ada)
    box.trickle_at = verb
    assert smtp.send_due() == 0
    (row,) = mails()
    assert row.closed_at is None and row.attempt == 0
    failing = server_state.failing()
    assert failing is not None and failing.reason == "The mail server did not answer in time."
    box.trickle_at = ""
    skip_wait()
    assert smtp.send_due() == 1


def test_a_goodbye_that_trickles_costs_no_mail(
    box: Mailbox, ada: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_connection, "MAIL_SECONDS", 1.0)
    end(ada)
    box.trickle_at = "QUIT"
    assert smtp.send_due() == 1
    assert server_state.failing() is None


def test_a_handshake_that_trickles_is_left_too(
    ada: Member, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_connection, "OPENING_SECONDS", 1.0)

    def trickle(connection: socket.socket) -> None:
        for sign in b"\x16\x03\x03\x40\x00" + bytes(1000):
            connection.sendall(bytes([sign]))
            time.sleep(0.1)

    with running_mail_server(), line(trickle) as server:
        end(ada)
        with_url(f"smtps://127.0.0.1:{server.port}")
        assert smtp.send_due() == 0
        failing = server_state.failing()
    assert failing is not None and failing.reason == "The mail server did not answer in time."


def test_a_name_that_is_never_looked_up_is_left_at_the_deadline(
    box: Mailbox, ada: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = threading.Event()
    usual = socket.getaddrinfo

    def hang(host: str, *arguments: Any, **more: Any) -> Any:
        return answer.wait(60) if host == "mail.test" else usual(host, *arguments, **more)

    monkeypatch.setattr(mail_connection, "OPENING_SECONDS", 0.5)
    monkeypatch.setattr(socket, "getaddrinfo", hang)
    end(ada)
    with_url("smtp://mail.test:25")
    try:
        assert smtp.send_due() == 0
        assert server_state.failing() is not None and not answer.is_set()
    finally:
        answer.set()


@pytest.fixture
def trusted_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """TLS as 127.0.0.1, by an authority that this machine trusts during the test."""
    authority = Authority()
    (tmp_path / "authority.pem").write_text(authority.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return authority.context(tmp_path, "127.0.0.1")


def upgraded(connection: socket.socket, context: ssl.SSLContext) -> ssl.SSLSocket:
    """A mail server's side of a connection, greeted in the clear and taken to TLS by STARTTLS."""
    connection.sendall(b"220 mail.test ready\r\n")
    connection.recv(1000)
    connection.sendall(b"250-mail.test\r\n250 STARTTLS\r\n")
    connection.recv(1000)
    connection.sendall(b"220 Ready\r\n")
    return context.wrap_socket(connection, server_side=True)


def test_what_is_offered_under_tls_counts(ada: Member, trusted_tls: ssl.SSLContext) -> None:
    """A server that upgrades the line says what it takes only then."""

    def upgrade(connection: socket.socket) -> None:
        with upgraded(connection, trusted_tls) as tls:
            tls.recv(1000)
            tls.sendall(b"250-mail.test\r\n250 SMTPUTF8\r\n")
            while said := tls.recv(1000):
                tls.sendall(b"221 Bye\r\n" if said.startswith(b"QUIT") else b"250 Fine\r\n")

    with running_mail_server(), line(upgrade) as server:
        with_url(f"smtp://127.0.0.1:{server.port}")
        assert smtp.probe() is None
        assert server_state.takes_utf8_addresses()
        assert directory_details.problems(Details("Jürgen", "jürgen@firm.test")) == {}


def test_starttls_keeps_the_deadline_and_checks_the_name(
    ada: Member, trusted_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def upgrade(connection: socket.socket) -> None:
        with upgraded(connection, trusted_tls) as tls:
            tls.recv(1000)
            for sign in b"250-" + b"x" * 1000:
                tls.sendall(bytes([sign]))
                time.sleep(0.1)

    monkeypatch.setattr(mail_connection, "OPENING_SECONDS", 2.0)
    with running_mail_server(), line(upgrade) as server:
        end(ada)
        for host, reason in [
            ("127.0.0.1", "The mail server did not answer in time."),
            ("localhost", "The mail server’s certificate is for another host name."),
        ]:
            with_url(f"smtp://{host}:{server.port}")
            skip_wait()
            assert smtp.send_due() == 0
            failing = server_state.failing()
            assert failing is not None and failing.reason == reason


def test_the_pages_say_why_mails_wait(box: Mailbox, ada: Member, browser: Browser) -> None:
    box.refusals["MAIL"] = "550 5.7.1 Sender not allowed"
    invite(actor_of(ada), NewInvitation("new@firm.test"))
    assert smtp.send_due() == 0
    browser.sign_in(ada)
    page = browser.get("/admin/members/invitations").text
    assert (
        "Waiting to be sent. The mail server does not accept email from Counterpart’s sender address (550)."
        in page
    )
    assert "Email is not being sent" in page and "COUNTERPART_MAIL_FROM" in page
    assert "Email is not being sent" in browser.get("/admin/members").text
    told_once = invite(actor_of(ada), NewInvitation("other@firm.test"))
    assert told_once.mail_waits.startswith("The mail server does not accept")
    box.refusals.clear()
    skip_wait()
    assert smtp.send_due() == 2
    assert "Email is not being sent" not in browser.get("/admin/members").text


def test_news_of_last_week_is_not_sent_when_mail_works_again(box: Mailbox, ada: Member) -> None:
    end(ada)
    with unit_of_work() as writing:
        writing.execute(update(Mail).values(created_at=utcnow() - timedelta(days=8)))
    assert smtp.send_due() == 0
    (row,) = mails()
    assert row.outcome == "Not sent within seven days." and box.raw == []


def test_a_domain_with_letters_of_its_own_is_sent_as_dns_knows_it(box: Mailbox) -> None:
    member = make_member("Ana", email="ana@müller.example")
    end(member)
    usual = runtime.runtime()
    runtime.bind(replace(usual, settings=replace(usual.settings, mail_from="post@kanzlei-grün.example")))
    box.takes_utf8 = False
    assert smtp.send_due() == 1
    runtime.bind(usual)
    assert box.recipients == ["ana@xn--mller-kva.example"]
    assert b"From: Counterpart <post@xn--kanzlei-grn-2hb.example>" in box.raw[0]


def test_an_address_that_the_mail_server_cannot_take_is_told_at_the_form(box: Mailbox, ada: Member) -> None:
    details = Details("Jürgen", "jürgen@firm.test")
    assert directory_details.problems(details) == {}, "nothing is known of the mail server yet"
    box.takes_utf8 = False
    end(ada)
    assert smtp.send_due() == 1
    assert directory_details.problems(details) == {"email": directory_details.CANNOT_BE_WRITTEN_TO}
    box.takes_utf8 = True
    end(ada)
    assert smtp.send_due() == 1
    assert directory_details.problems(details) == {}


def with_url(url: str) -> None:
    change_settings(smtp_url=url)
