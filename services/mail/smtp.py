"""Sends the mails of the outbox through the firm's mail server. Nobody waits for it, and nothing depends on it."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.errors import HeaderParseError
from urllib.parse import unquote, urlsplit

import structlog

from models import utcnow
from services.core.runtime import runtime
from services.core.unit_of_work import release
from services.mail import composers, outbox, server_state
from services.mail.composers import NotToBeSentError
from services.mail.connection import MailConnection, trust
from services.mail.envelope import wire_address
from services.mail.errors import MAIL_ERRORS, MailError, connection_error, sending_error

log = structlog.get_logger()

OLDEST_NEWS = timedelta(days=7)
PORTS = {"smtp": 587, "smtps": 465}
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class _MailStoppedError(Exception):
    """No mail can be sent at present."""

    def __init__(self, error: MailError) -> None:
        super().__init__(error.reason)
        self.error = error


def send_due(limit: int = 20) -> int:
    """Send what is due over one connection. Says how many were taken by the mail server.

    Where none can be sent, all wait, and why is on record; a mail that the server refuses for good is closed.
    """
    ids = outbox.due(limit) if server_state.is_set_up() else []
    if not ids:
        return 0
    sent, not_allowed = 0, None
    try:
        with _connected() as server:
            for mail in map(outbox.claim, ids):
                if mail is None:
                    continue
                error = _send(server, mail)
                sent += error is None
                not_allowed = error if error is not None and error.effect == "wait" else not_allowed
    except _MailStoppedError as stopped:
        _note_failing(stopped.error)
    except MAIL_ERRORS as error:
        _note_failing(connection_error(error))
    else:
        if sent:
            server_state.record_success()
        elif not_allowed:
            _note_failing(not_allowed)
    return sent


def _note_failing(error: MailError) -> None:
    log.warning("mail.failing", code=error.code, reason=error.reason)
    server_state.record_failure(error)


def _send(server: MailConnection, mail: outbox.ClaimedMail) -> MailError | None:
    """None where it was taken. Raises _Stopped where no other could be sent either."""
    try:
        if mail.created_at < utcnow() - OLDEST_NEWS:
            raise NotToBeSentError("Not sent within seven days.")
        message = composers.compose(mail.kind, mail.id)
    except NotToBeSentError as refusal:
        return _closed(mail, MailError("mail.not_to_be_sent", str(refusal), effect="close"))
    except (ValueError, HeaderParseError):
        reason = "The address cannot be written to."
        return _closed(mail, MailError("mail.address_invalid", reason, effect="close"))
    release()  # the mail server may take its time; the database does not wait for it
    server.start_mail()
    try:
        server.send_message(message)
    except MAIL_ERRORS as raised:
        return _not_sent(server, mail, sending_error(raised))
    outbox.close(mail, "Sent.")
    return None


def _closed(mail: outbox.ClaimedMail, error: MailError) -> MailError:
    outbox.close(mail, error.reason)
    return error


def _not_sent(server: MailConnection, mail: outbox.ClaimedMail, error: MailError) -> MailError:
    match error.effect:
        case "close":
            outbox.close(mail, error.reason)
        case "retry":
            outbox.reschedule(mail, error.reason)
        case "wait" | "stop":
            outbox.hold(mail, error.reason)
    if error.effect == "stop":
        raise _MailStoppedError(error)
    server.rset()
    return error


def probe() -> MailError | None:
    """Why no mail could be sent now, None where it could: everything but the reader and the text is tried."""
    try:
        with _connected() as server:
            sender = wire_address(runtime().settings.mail_from)
            code, said = server.mail(sender)
            server.rset()
            if code != 250:
                return sending_error(smtplib.SMTPSenderRefused(code, said, sender))
    except MAIL_ERRORS as error:
        return connection_error(error)
    return None


@contextmanager
def _connected() -> Iterator[MailConnection]:
    """TLS from the start or by STARTTLS; in the clear only to a mail server on this very machine."""
    parts = urlsplit(runtime().settings.smtp_url)
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    context = trust()
    with MailConnection(host, port, context if parts.scheme == "smtps" else None) as server:
        server.ehlo_or_helo_if_needed()
        if parts.scheme == "smtp" and (server.has_extn("starttls") or host not in LOOPBACK):
            server.starttls(context=context)
            server.ehlo_or_helo_if_needed()  # what is offered in the clear says nothing of what is offered now
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server_state.record_features(takes_utf8=server.has_extn("smtputf8"))
        yield server
