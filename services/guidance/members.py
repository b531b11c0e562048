"""Advice for setting up, invitations, and too many attempts to sign in."""

from __future__ import annotations

from services.guidance.advice import SYSTEM_ADMIN, Advice

MEMBER_ADVICE: dict[str, Advice] = {
    "conflict.set_up": Advice(
        "Counterpart is already set up.", "Sign in, or ask your System Admin for an account.", SYSTEM_ADMIN
    ),
    "too_many.sign_in": Advice(
        "Too many failed attempts. Try again in {wait}.", "Your account is not locked."
    ),
    "guest.known": Advice("{name} already has an account with this address."),
    "guest.joined": Advice("{name} has already joined, so they need no link."),
    "guest.elsewhere": Advice(
        "{name} is in other matters, too.", "Ask a System Admin for a new link.", SYSTEM_ADMIN
    ),
    "invitation.open": Advice(
        "{email} already has an open invitation.", "Invite them again to replace its link."
    ),
    "invitation.used": Advice(
        "This link has been used.",
        "You already have an account. Sign in with your email address and password.",
    ),
    "invitation.withdrawn": Advice(
        "This invitation was withdrawn.", "Ask the person who invited you for a new one."
    ),
    "invitation.replaced": Advice("This link has been replaced.", "Use the latest link that you were sent."),
    "invitation.expired": Advice(
        "This link has expired.", "Links work for seven days. Ask the person who invited you for a new one."
    ),
    "invitation.closed": Advice(
        "This account is closed.",
        "It was deactivated after you were invited. Ask the person who invited you.",
    ),
    "invitation.unknown": Advice(
        "This link does not work.", "Copy the whole link from the message that you were sent, and try again."
    ),
}
