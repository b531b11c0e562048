"""SMTP errors by code, without the server's own words, and their effect on the mail.

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

from services.guidance.refusals import worded

MAIL_ERRORS = (smtplib.SMTPException, OSError)
_STATUS = re.compile(rb"[45]\.(\d{1,3})\.(\d{1,3})\b")
"""Enhanced status codes, RFC 3463: class, subject, detail."""
_CERTIFICATE = {10: "expired", 62: "wrong_name"}
"""OpenSSL's codes of verification errors."""


Effect = Literal["close", "retry", "wait", "stop"]


@dataclass(frozen=True)
class MailError:
    """`effect` on the mail: close it, retry it a few times, let it wait until the installation is fixed, or stop:
    let it wait together with all others, because none can be sent."""

    code: str
    reason: str
    next_step: str
    effect: Effect


def mail_error(code: str, effect: Effect, variant: str = "", **values: object) -> MailError:
    words = worded(code, variant, **values)
    return MailError(code, words["sentence"], words["next_step"], effect)


def connection_error(error: Exception) -> MailError:
    """An error before the first mail: name, port, TLS, greeting or authentication."""
    match error:
        case smtplib.SMTPAuthenticationError():
            return mail_error("mail.sign_in_refused", "stop")
        case smtplib.SMTPNotSupportedError():
            return mail_error("mail.no_encryption", "stop")
        case TimeoutError() | smtplib.SMTPServerDisconnected(__context__=TimeoutError()):
            return mail_error("mail.timeout", "stop")
        case smtplib.SMTPServerDisconnected():
            return mail_error("mail.broke_off", "stop")
        case smtplib.SMTPResponseException(smtp_code=code) if code > 0:
            return mail_error("mail.greeting", "stop", status=code)
        case smtplib.SMTPException():
            return mail_error("mail.not_smtp", "stop")
        case ssl.SSLCertVerificationError(verify_code=code):
            return mail_error("mail.certificate", "stop", _CERTIFICATE.get(code, ""))
        case ssl.SSLError():
            return mail_error("mail.tls", "stop")
        case socket.gaierror():
            return mail_error("mail.name", "stop")
        case ConnectionRefusedError():
            return mail_error("mail.port_closed", "stop")
    return mail_error("mail.unreachable", "stop")


def sending_error(error: Exception) -> MailError:
    """An error of one mail on an open connection."""
    match error:
        case smtplib.SMTPServerDisconnected() | smtplib.SMTPHeloError():
            return connection_error(error)
        case smtplib.SMTPSenderRefused(smtp_code=code):
            return mail_error("mail.sender_refused", "stop", status=code)
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            code, said = next(iter(refused.values()))
            return _refused("mail.address_refused", code, said)
        case smtplib.SMTPNotSupportedError():
            return mail_error("mail.address_not_supported", "close")
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=said):
            return _refused("mail.refused", code, said)
    return connection_error(error)


def _refused(error_code: str, status: int, said: bytes | str) -> MailError:
    if _is_policy(status, said):
        return mail_error("mail.not_allowed", "wait", status=status)
    return mail_error(error_code, "close" if status >= 500 else "retry", status=status)


def _is_policy(code: int, said: bytes | str) -> bool:
    """Whether the installation may not relay or use this sender. Exchange reports it as late as RCPT or DATA."""
    status = _STATUS.search(said if isinstance(said, bytes) else said.encode())
    if status is None:
        return code == 530
    subject, detail = int(status[1]), int(status[2])
    return subject == 7 or (subject, detail) in {(1, 7), (1, 8)}
