"""What a mail server's refusal means: a sentence without the server's own words, and whose fault it is.

A refusal of one mail (its address, its content) closes that mail. A refused sender, sign-in or connection is the
installation's to mend: mails wait for it, and no try is counted against them.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from dataclasses import dataclass
from typing import Literal

MAIL_ERRORS = (smtplib.SMTPException, OSError)
CHECK_SETTINGS = "Check COUNTERPART_SMTP_URL and COUNTERPART_MAIL_FROM with whoever runs the mail server."
_STATUS = re.compile(rb"[45]\.(\d{1,3})\.(\d{1,3})\b")
"""Enhanced status codes, RFC 3463: class, subject, detail."""
_OPENSSL_EXPIRED, _OPENSSL_HOST = 10, 62


Effect = Literal["close", "retry", "wait", "stop"]


@dataclass(frozen=True)
class MailError:
    """`effect` on the mail: closed for good, tried again a few times, left waiting until the installation is mended,
    or `stop`: left waiting with all the others, because none could be sent."""

    code: str
    reason: str
    next_step: str = ""
    effect: Effect = "retry"


def connection_error(error: Exception) -> MailError:
    """What kept us from getting as far as a mail: the address, the port, TLS, the greeting, the sign-in."""
    code, reason, next_step = _of_connection(error)
    return MailError(code, reason, next_step, "stop")


def sending_error(error: Exception) -> MailError:
    """What became of one mail on an open connection."""
    match error:
        case smtplib.SMTPServerDisconnected() | smtplib.SMTPHeloError():
            return connection_error(error)
        case smtplib.SMTPSenderRefused(smtp_code=code):
            return MailError(
                "mail.sender_refused",
                f"The mail server does not accept mail from our sender address ({code}).",
                "Ask whoever runs the mail server to allow the address in COUNTERPART_MAIL_FROM, or change it.",
                "stop",
            )
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            code, said = next(iter(refused.values()))
            if _is_policy(code, said):
                return _refused_by_policy(code)
            reason = f"The mail server refused the address ({code})."
            return MailError("mail.address_refused", reason, effect="close" if code >= 500 else "retry")
        case smtplib.SMTPNotSupportedError():
            reason = "The mail server cannot write to an address with letters such as “ü” before the @."
            return MailError("mail.address_not_supported", reason, effect="close")
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=said):
            if _is_policy(code, said):
                return _refused_by_policy(code)
            reason = f"The mail server did not take the mail ({code})."
            return MailError("mail.refused", reason, effect="close" if code >= 500 else "retry")
    return connection_error(error)


def _is_policy(code: int, said: bytes | str) -> bool:
    """Whether the refusal is about us: not allowed to relay, or to use this sender. Exchange says it this late."""
    status = _STATUS.search(said if isinstance(said, bytes) else said.encode())
    if status is None:
        return code == 530
    subject, detail = int(status[1]), int(status[2])
    return subject == 7 or (subject, detail) in {(1, 7), (1, 8)}


def _refused_by_policy(code: int) -> MailError:
    return MailError(
        "mail.not_allowed",
        f"The mail server does not let this installation send mail ({code}).",
        "Ask whoever runs the mail server to let Counterpart relay mail, or to sign in as somebody who may.",
        "wait",
    )


def _of_connection(error: Exception) -> tuple[str, str, str]:
    match error:
        case smtplib.SMTPAuthenticationError():
            return (
                "mail.sign_in_refused",
                "The mail server refused our sign-in.",
                "Put the right user and password into COUNTERPART_SMTP_URL, and restart Counterpart.",
            )
        case smtplib.SMTPNotSupportedError():
            return (
                "mail.no_encryption",
                "The mail server offers no encryption or no sign-in, so nothing was sent.",
                "Switch STARTTLS on at the mail server, or use smtps:// in COUNTERPART_SMTP_URL.",
            )
        case TimeoutError() | smtplib.SMTPServerDisconnected(__context__=TimeoutError()):
            return "mail.timeout", "The mail server did not answer in time.", CHECK_SETTINGS
        case smtplib.SMTPServerDisconnected():
            return "mail.broke_off", "The mail server ended the connection.", CHECK_SETTINGS
        case smtplib.SMTPResponseException(smtp_code=code) if code > 0:
            return "mail.greeting", f"The mail server turned us away ({code}).", CHECK_SETTINGS
        case smtplib.SMTPException():
            return "mail.not_smtp", "What answers there does not speak SMTP.", CHECK_SETTINGS
        case ssl.SSLCertVerificationError(verify_code=code):
            said = {
                _OPENSSL_EXPIRED: "has expired",
                _OPENSSL_HOST: "is for another name",
            }.get(code, "comes from an authority that this machine does not know")
            return (
                "mail.certificate",
                f"The mail server’s certificate {said}.",
                "Ask whoever runs the mail server to replace it, or install the firm’s authority on this machine.",
            )
        case ssl.SSLError():
            return (
                "mail.tls",
                "No encrypted connection to the mail server came about.",
                "Check that the port fits: smtps:// is usually port 465, smtp:// port 587.",
            )
        case socket.gaierror():
            return "mail.name", "The mail server’s name is not known here.", CHECK_SETTINGS
        case ConnectionRefusedError():
            return "mail.port_closed", "Nothing answers at the mail server’s port.", CHECK_SETTINGS
    return "mail.unreachable", "The mail server could not be reached.", CHECK_SETTINGS
