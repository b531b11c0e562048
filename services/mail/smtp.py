"""Sends the emails of the outbox through the firm's mail server. Nothing else waits for it or depends on it."""

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
from services.mail import messages, outbox, server_state
from services.mail.connection import MailConnection, trust
from services.mail.errors import MAIL_ERRORS, MailError, connection_error, mail_error, sending_error
from services.mail.messages import NotToBeSentError, wire_address

log = structlog.get_logger()

MAX_AGE = timedelta(days=7)
PORTS = {"smtp": 587, "smtps": 465}
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class _MailStoppedError(Exception):
    """No mail can be sent now."""

    def __init__(self, error: MailError) -> None:
        super().__init__(error.reason)
        self.error = error


def send_due(limit: int = 20) -> int:
    """Send the mails that are due over one connection. Returns how many the mail server accepted.

    If none can be sent, all wait and the reason is recorded; a mail that the server refuses for good is closed.
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
        _record_failure(stopped.error)
    except MAIL_ERRORS as error:
        _record_failure(connection_error(error))
    else:
        if sent:
            server_state.record_success()
        elif not_allowed:
            _record_failure(not_allowed)
    return sent


def _record_failure(error: MailError) -> None:
    log.warning("mail.failing", code=error.code, reason=error.reason)
    server_state.record_failure(error)


def _send(server: MailConnection, mail: outbox.ClaimedMail) -> MailError | None:
    """None if the server accepted it. Raises _MailStoppedError if no other could be sent either."""
    try:
        if mail.created_at < utcnow() - MAX_AGE:
            raise NotToBeSentError("Not sent within seven days.")
        message = messages.compose(mail.kind, mail.id)
    except NotToBeSentError as refusal:
        return _closed(mail, mail_error("mail.not_to_be_sent", "close", why=refusal))
    except (ValueError, HeaderParseError):
        return _closed(mail, mail_error("mail.address_invalid", "close"))
    release()  # hold no database connection while the mail server answers
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
    """Why no email can be sent now, None if it can: tries everything up to the recipient."""
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
    """TLS from the start or by STARTTLS; unencrypted only to a mail server on this machine."""
    parts = urlsplit(runtime().settings.smtp_url)
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    context = trust()
    with MailConnection(host, port, context if parts.scheme == "smtps" else None) as server:
        server.ehlo_or_helo_if_needed()
        if parts.scheme == "smtp" and (server.has_extn("starttls") or host not in LOOPBACK):
            server.starttls(context=context)
            server.ehlo_or_helo_if_needed()  # RFC 3207: discard what was learned before TLS
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server_state.record_features(takes_utf8=server.has_extn("smtputf8"))
        yield server
