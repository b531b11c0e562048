"""Advice for email that the mail server does not take, in words without the server's own."""

from __future__ import annotations

from services.guidance.advice import SYSTEM_ADMIN, Advice

_SETTINGS = "Check COUNTERPART_SMTP_URL and COUNTERPART_MAIL_FROM with the people who run the mail server."
_CERTIFICATE = (
    "Ask the people who run the mail server to replace it, or install its authority on this machine."
)

MAIL_ADVICE: dict[str, Advice] = {
    "mail.not_to_be_sent": Advice("{why}"),
    "mail.address_invalid": Advice("The email address is invalid."),
    "mail.address_refused": Advice("The mail server refused the address ({status})."),
    "mail.address_not_supported": Advice(
        "The mail server does not support addresses with letters such as “ü” before the @."
    ),
    "mail.refused": Advice("The mail server refused the email ({status})."),
    "mail.sender_refused": Advice(
        "The mail server does not accept email from Counterpart’s sender address ({status}).",
        "Ask the people who run the mail server to allow the address in COUNTERPART_MAIL_FROM, or change it.",
        SYSTEM_ADMIN,
    ),
    "mail.not_allowed": Advice(
        "The mail server does not let Counterpart send email ({status}).",
        "Ask the people who run the mail server to let Counterpart relay email, or for an account that is allowed to.",
        SYSTEM_ADMIN,
    ),
    "mail.sign_in_refused": Advice(
        "The mail server refused the user name or password.",
        "Correct the user name and password in COUNTERPART_SMTP_URL and restart Counterpart.",
        SYSTEM_ADMIN,
    ),
    "mail.no_encryption": Advice(
        "The mail server offers no encryption or no authentication, so nothing was sent.",
        "Turn on STARTTLS on the mail server, or use smtps:// in COUNTERPART_SMTP_URL.",
        SYSTEM_ADMIN,
    ),
    "mail.timeout": Advice("The mail server did not answer in time.", _SETTINGS, SYSTEM_ADMIN),
    "mail.broke_off": Advice("The mail server ended the connection.", _SETTINGS, SYSTEM_ADMIN),
    "mail.greeting": Advice("The mail server refused the connection ({status}).", _SETTINGS, SYSTEM_ADMIN),
    "mail.not_smtp": Advice("The server at this address is not a mail server.", _SETTINGS, SYSTEM_ADMIN),
    "mail.certificate": Advice(
        "The mail server’s certificate was issued by an authority that this machine does not trust.",
        _CERTIFICATE,
        SYSTEM_ADMIN,
    ),
    "mail.certificate.expired": Advice(
        "The mail server’s certificate has expired.", _CERTIFICATE, SYSTEM_ADMIN
    ),
    "mail.certificate.wrong_name": Advice(
        "The mail server’s certificate is for another host name.", _CERTIFICATE, SYSTEM_ADMIN
    ),
    "mail.tls": Advice(
        "The mail server did not set up an encrypted connection.",
        "Check the port: it is usually 465 for smtps:// and 587 for smtp://.",
        SYSTEM_ADMIN,
    ),
    "mail.name": Advice("The mail server’s name was not found.", _SETTINGS, SYSTEM_ADMIN),
    "mail.port_closed": Advice("The mail server’s port is closed.", _SETTINGS, SYSTEM_ADMIN),
    "mail.unreachable": Advice("The mail server could not be reached.", _SETTINGS, SYSTEM_ADMIN),
}
