"""Sends the mails of the outbox through the firm's mail server. Nobody waits for it, and nothing depends on it."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.errors import HeaderParseError
from urllib.parse import unquote, urlsplit

import structlog

from services import health_mail, invitation_mail, mail_text, outbox
from services.house import house
from services.invitations import MAIL
from services.mail_text import NotToBeSent
from services.unit import release

log = structlog.get_logger()

SECONDS = 20.0
PORTS = {"smtp": 587, "smtps": 465}
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
COMPOSERS = {
    "transfer": mail_text.compose,
    health_mail.KIND: health_mail.compose,
    MAIL: invitation_mail.compose,
}
UNREACHABLE = (smtplib.SMTPException, OSError)


def is_set_up() -> bool:
    """Whether this installation can send mail at all."""
    return bool(house().settings.smtp_url)


def send_due(limit: int = 20) -> int:
    """Send what is due over one connection. Says how many were taken by the mail server.

    A mail server that cannot be reached is left alone until the next call; a mail that it refuses for good is closed.
    """
    ids = outbox.due(limit) if is_set_up() else []
    if not ids:
        return 0
    try:
        with _connected() as server:
            return sum(_send(server, mail) for mail in map(outbox.take, ids) if mail is not None)
    except UNREACHABLE as error:
        log.warning("mail.unreachable", reason=_reason(error))
        return 0


def _send(server: smtplib.SMTP, mail: outbox.Due) -> bool:
    try:
        message = COMPOSERS[mail.kind](mail.id)
    except NotToBeSent as refusal:
        outbox.close(mail, str(refusal))
        return False
    except (ValueError, HeaderParseError):
        outbox.close(mail, "The address cannot be written to.")
        return False
    release()  # the mail server may take its time; the database does not wait for it
    try:
        server.send_message(message)
    except smtplib.SMTPServerDisconnected as error:
        outbox.put_off(mail, _reason(error))
        raise
    except smtplib.SMTPException as error:
        (outbox.close if _is_for_good(error) else outbox.put_off)(mail, _reason(error))
        server.rset()
        return False
    outbox.close(mail, "Sent.")
    return True


@contextmanager
def _connected() -> Iterator[smtplib.SMTP]:
    """TLS from the start or by STARTTLS; in the clear only to a mail server on this very machine."""
    parts = urlsplit(house().settings.smtp_url)
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    context = ssl.create_default_context()
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=SECONDS)
    with server:
        server.ehlo()
        if parts.scheme == "smtp" and (server.has_extn("starttls") or host not in LOOPBACK):
            server.starttls(context=context)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        yield server


def _is_for_good(error: smtplib.SMTPException) -> bool:
    """The server's own 5xx about this mail: asking again would be answered the same."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return True
    return isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= 500


def _reason(error: Exception) -> str:
    """Told without the server's own words, which may repeat what was sent."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "The mail server refused our sign-in."
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = sorted({code for code, _ in error.recipients.values()})
        return f"The mail server refused the address ({', '.join(map(str, codes))})."
    if isinstance(error, smtplib.SMTPResponseException):
        return f"The mail server answered {error.smtp_code}."
    if isinstance(error, ssl.SSLError):
        return "The mail server's certificate is not trusted."
    if isinstance(error, TimeoutError | socket.gaierror | ConnectionError):
        return "The mail server could not be reached."
    return f"The mail server broke off ({type(error).__name__})."
