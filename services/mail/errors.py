"""SMTP errors as a sentence without the server's own words, and their effect on the mail.

A refusal of one mail (its address, its content) closes that mail. A refused sender, authentication or connection
concerns the installation: mails wait until it is fixed, and no attempt is counted against them.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from dataclasses import dataclass
from typing import Literal

MAIL_ERRORS = (smtplib.SMTPException, OSError)
CHECK_SETTINGS = (
    "Check COUNTERPART_SMTP_URL and COUNTERPART_MAIL_FROM with the people who run the mail server."
)
_STATUS = re.compile(rb"[45]\.(\d{1,3})\.(\d{1,3})\b")
"""Enhanced status codes, RFC 3463: class, subject, detail."""
_OPENSSL_EXPIRED, _OPENSSL_HOST = 10, 62


Effect = Literal["close", "retry", "wait", "stop"]


@dataclass(frozen=True)
class MailError:
    """`effect` on the mail: close it, retry it a few times, let it wait until the installation is fixed, or stop:
    let it wait together with all others, because none can be sent."""

    code: str
    reason: str
    next_step: str = ""
    effect: Effect = "retry"


def connection_error(error: Exception) -> MailError:
    """An error before the first mail: name, port, TLS, greeting or authentication."""
    code, reason, next_step = _of_connection(error)
    return MailError(code, reason, next_step, "stop")


def sending_error(error: Exception) -> MailError:
    """An error of one mail on an open connection."""
    match error:
        case smtplib.SMTPServerDisconnected() | smtplib.SMTPHeloError():
            return connection_error(error)
        case smtplib.SMTPSenderRefused(smtp_code=code):
            return MailError(
                "mail.sender_refused",
                f"The mail server does not accept email from Counterpart’s sender address ({code}).",
                "Ask the people who run the mail server to allow the address in COUNTERPART_MAIL_FROM, or change it.",
                "stop",
            )
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            code, said = next(iter(refused.values()))
            if _is_policy(code, said):
                return _refused_by_policy(code)
            reason = f"The mail server refused the address ({code})."
            return MailError("mail.address_refused", reason, effect="close" if code >= 500 else "retry")
        case smtplib.SMTPNotSupportedError():
            reason = "The mail server does not support addresses with letters such as “ü” before the @."
            return MailError("mail.address_not_supported", reason, effect="close")
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=said):
            if _is_policy(code, said):
                return _refused_by_policy(code)
            reason = f"The mail server refused the email ({code})."
            return MailError("mail.refused", reason, effect="close" if code >= 500 else "retry")
    return connection_error(error)


def _is_policy(code: int, said: bytes | str) -> bool:
    """Whether the installation may not relay or use this sender. Exchange reports it as late as RCPT or DATA."""
    status = _STATUS.search(said if isinstance(said, bytes) else said.encode())
    if status is None:
        return code == 530
    subject, detail = int(status[1]), int(status[2])
    return subject == 7 or (subject, detail) in {(1, 7), (1, 8)}


def _refused_by_policy(code: int) -> MailError:
    return MailError(
        "mail.not_allowed",
        f"The mail server does not let Counterpart send email ({code}).",
        "Ask the people who run the mail server to let Counterpart relay email, or for an account that is allowed to.",
        "wait",
    )


def _of_connection(error: Exception) -> tuple[str, str, str]:
    match error:
        case smtplib.SMTPAuthenticationError():
            return (
                "mail.sign_in_refused",
                "The mail server refused the user name or password.",
                "Correct the user name and password in COUNTERPART_SMTP_URL and restart Counterpart.",
            )
        case smtplib.SMTPNotSupportedError():
            return (
                "mail.no_encryption",
                "The mail server offers no encryption or no authentication, so nothing was sent.",
                "Turn on STARTTLS on the mail server, or use smtps:// in COUNTERPART_SMTP_URL.",
            )
        case TimeoutError() | smtplib.SMTPServerDisconnected(__context__=TimeoutError()):
            return "mail.timeout", "The mail server did not answer in time.", CHECK_SETTINGS
        case smtplib.SMTPServerDisconnected():
            return "mail.broke_off", "The mail server ended the connection.", CHECK_SETTINGS
        case smtplib.SMTPResponseException(smtp_code=code) if code > 0:
            return "mail.greeting", f"The mail server refused the connection ({code}).", CHECK_SETTINGS
        case smtplib.SMTPException():
            return "mail.not_smtp", "The server at this address is not a mail server.", CHECK_SETTINGS
        case ssl.SSLCertVerificationError(verify_code=code):
            said = {
                _OPENSSL_EXPIRED: "has expired",
                _OPENSSL_HOST: "is for another host name",
            }.get(code, "was issued by an authority that this machine does not trust")
            return (
                "mail.certificate",
                f"The mail server’s certificate {said}.",
                "Ask the people who run the mail server to replace it, or install its authority on this machine.",
            )
        case ssl.SSLError():
            return (
                "mail.tls",
                "The mail server did not set up an encrypted connection.",
                "Check the port: it is usually 465 for smtps:// and 587 for smtp://.",
            )
        case socket.gaierror():
            return "mail.name", "The mail server’s name was not found.", CHECK_SETTINGS
        case ConnectionRefusedError():
            return "mail.port_closed", "The mail server’s port is closed.", CHECK_SETTINGS
    return "mail.unreachable", "The mail server could not be reached.", CHECK_SETTINGS
