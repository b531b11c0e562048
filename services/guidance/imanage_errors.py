"""Advice for each error of the iManage client, and the refusal that a page or a transfer shows for it."""

from __future__ import annotations

import math
import re
from typing import Literal

from imanage.errors import ImanageError
from services.core.errors import RemoteRefusedError
from services.guidance.advice import (
    IMANAGE_ADMIN,
    NETWORK_TEAM,
    NOBODY,
    SYSTEM_ADMIN,
    Advice,
    most_specific,
)

Activity = Literal["reading", "searching", "saving"]
LONGEST_MESSAGE, LONGEST_CODE = 200, 60
_TOKEN_LIKE = re.compile(r"[A-Za-z0-9_+/=-]{16,}")
"""What a token, a secret or a hash is written in. No word of a sentence is so long; a code such as NRC_… may be."""
_LONGEST_WORD = 24
_LATER = "Try again in a few minutes."
_LATER_OR_ADMIN = f"{_LATER} If it happens again, tell your System Admin."
_SIGN_IN = "Sign in to iManage again. Your work here is kept."
_CHECK_URL = "Ask your System Admin to check the server’s URL."

IMANAGE_ADVICE: dict[str, Advice] = {
    "imanage.failed": Advice("{label} could not do this.", _LATER_OR_ADMIN, SYSTEM_ADMIN),
    "imanage.unreachable": Advice("Counterpart cannot reach {label}.", _LATER_OR_ADMIN, SYSTEM_ADMIN),
    "imanage.unreachable.name_not_found": Advice(
        "The host name of {label} is not known here.",
        "Ask your System Admin to check the server’s URL and Counterpart’s DNS.",
        SYSTEM_ADMIN,
    ),
    "imanage.unreachable.refused": Advice("{label} refused the connection.", _LATER_OR_ADMIN, SYSTEM_ADMIN),
    "imanage.unreachable.silent": Advice("{label} took too long to answer.", _LATER, NOBODY),
    "imanage.unreachable.reset": Advice("{label} closed the connection.", _LATER, NOBODY),
    "imanage.unreachable.proxy": Advice(
        "Counterpart cannot reach {label}, because the firm’s outbound proxy made no connection.",
        _LATER_OR_ADMIN,
        NETWORK_TEAM,
    ),
    "imanage.unreachable.proxy.sign_in": Advice(
        "Counterpart cannot reach {label}, because the firm’s outbound proxy does not accept its sign-in.",
        "Ask your System Admin to check the connection of the server.",
        SYSTEM_ADMIN,
    ),
    "imanage.unreachable.proxy.refused": Advice(
        "Counterpart cannot reach {label}, because the firm’s outbound proxy does not allow it.",
        "Ask your System Admin to check the connection of the server.",
        SYSTEM_ADMIN,
    ),
    "imanage.slow": Advice(
        "{label} is slow: other people’s pages are still waiting for it.",
        "Try again in a few seconds.",
        NOBODY,
    ),
    "imanage.slow.yours": Advice(
        "{label} is slow: two of your pages are still waiting for it.",
        "Wait for them to finish, or try again in a few seconds.",
        NOBODY,
    ),
    "imanage.unreachable.tls": Advice(
        "Counterpart cannot verify the certificate of {label}.",
        "Ask your System Admin to check the server’s certificate.",
        IMANAGE_ADMIN,
    ),
    "imanage.blocked": Advice(
        "Counterpart does not allow connections to the address of {label}.",
        "Ask your System Admin to check the server’s URL and COUNTERPART_IMANAGE_NETWORKS.",
        SYSTEM_ADMIN,
    ),
    "imanage.blocked.no_proxy": Advice(
        "{label} is to be reached through a proxy, and none is set.",
        "Ask your System Admin to check the connection of the server.",
        SYSTEM_ADMIN,
    ),
    "imanage.not_imanage": Advice(
        "Something other than iManage Work answered at the address of {label}.",
        "Ask your System Admin to check the server’s URL, and whether there is a proxy or sign-in page in front of it.",
        SYSTEM_ADMIN,
    ),
    "imanage.not_imanage.proxy": Advice(
        "A proxy between Counterpart and {label} asked for a sign-in of its own and let nothing through.",
        "Ask your network team to let Counterpart reach the server without that sign-in.",
        NETWORK_TEAM,
    ),
    "imanage.not_imanage.sign_in_page": Advice(
        "A sign-in page in front of {label} answered in place of iManage.",
        "Ask your network team to let requests for /api, /work and /auth pass through to iManage without it.",
        NETWORK_TEAM,
    ),
    "imanage.not_imanage.not_understood": Advice(
        "{label} answered in a form that Counterpart does not understand.",
        "Show your System Admin this message. Trying again will not help.",
        SYSTEM_ADMIN,
    ),
    "imanage.redirected": Advice(
        "{label} redirected Counterpart to another address, which it does not follow.",
        _CHECK_URL,
        SYSTEM_ADMIN,
    ),
    "imanage.answer_too_large": Advice(
        "{label} sent a far larger answer than iManage would.", _CHECK_URL, SYSTEM_ADMIN
    ),
    "imanage.sign_in_refused": Advice("{label} refused the sign-in.", _SIGN_IN),
    "imanage.unauthorised": Advice("Your sign-in to {label} has ended.", _SIGN_IN),
    "imanage.client_refused": Advice(
        "iManage did not accept Counterpart’s Client ID or Client Secret.",
        "Ask your System Admin to correct them on the server’s page. Your sign-in is kept.",
        SYSTEM_ADMIN,
    ),
    "imanage.forbidden": Advice(
        "You do not have permission to do this in {label}.",
        "Ask the person who manages the workspace in iManage for access.",
        IMANAGE_ADMIN,
    ),
    "imanage.not_found": Advice(
        "{label} cannot find this.",
        "It may have been moved or deleted, or you may have lost access. Search for it again.",
    ),
    "imanage.bad_id": Advice("This is not a valid iManage ID.", "Start again from the list of workspaces."),
    "imanage.conflict": Advice(
        "{label} refused this because of what is already there.",
        "Nothing was overwritten. Open it in iManage to see what has changed, then try again.",
    ),
    "imanage.conflict.checked_out": Advice(
        "Someone has this document checked out in {label}.",
        "Nothing was overwritten. Try again when it has been checked in.",
    ),
    "imanage.conflict.new_document": Advice(
        "{label} did not accept the new document because of something already there.",
        "Save it under another name, or in another folder.",
    ),
    "imanage.index_unavailable": Advice(
        "Search is not available in {label} at the moment.",
        "Open the folder instead, or search again later.",
        IMANAGE_ADMIN,
    ),
    "imanage.too_large": Advice(
        "The file is larger than {label} accepts.",
        "Save a smaller file, or ask your iManage admin about the limit.",
        IMANAGE_ADMIN,
    ),
    "imanage.rejected": Advice(
        "{label} did not accept this request.",
        "Show your System Admin this message. Trying again will not help.",
        SYSTEM_ADMIN,
    ),
    "imanage.throttled": Advice(
        "{label} is busy and asked Counterpart to wait {wait}.", "Try again after that.", NOBODY
    ),
    "imanage.server_fault": Advice("{label} has an internal error.", _LATER, IMANAGE_ADMIN),
    "imanage.outcome_unknown": Advice(
        "The answer from {label} was lost, so Counterpart does not know yet whether the change was made.",
        "Counterpart checks in iManage before it sends anything again.",
        NOBODY,
    ),
    "imanage.cut_stream": Advice("The download from {label} was interrupted.", "Try again.", NOBODY),
    "imanage.source_failed": Advice(
        "Counterpart could not read the whole file, so nothing was saved to {label}.",
        "Try again. If it happens again, tell your System Admin.",
        SYSTEM_ADMIN,
    ),
}
BY_ACTIVITY: dict[Activity, dict[str, Advice]] = {
    "reading": {},
    "searching": {
        "imanage.rejected": Advice(
            "{label} did not accept this search.",
            "Search for fewer or different words, without characters such as * or ?, or open the folder instead.",
        ),
    },
    "saving": {
        "imanage.rejected": Advice(
            "{label} did not accept this document.",
            "Check the name, and ask your iManage admin which profile fields are required.",
            IMANAGE_ADMIN,
        ),
    },
}
"""Codes that mean something else while a person searches or saves."""


def remote_refusal(
    error: ImanageError, server_label: str, activity: Activity = "reading"
) -> RemoteRefusedError:
    """The refusal for an error of the iManage client, with iManage's own message quoted after our sentence."""
    advice = _advice(error, activity)
    return RemoteRefusedError(
        advice.sentence.format(label=server_label, wait=_wait(error.wait_seconds)),
        code=error.code,
        next_step=advice.next_step,
        owner=advice.owner,
        its_words=quoted_message(error),
    )


def quoted_message(error: ImanageError) -> str:
    """iManage's own message as one sentence, or "" where it sent none.

    The message is not trusted: it can neither end the quotation nor fill a page.
    """
    parts = [error.remote_message or "", *(f"{name}: {words}" for name, words in error.fields.items())]
    message = _short("; ".join(filter(None, map(_plain, parts))))
    code = _short(_plain(error.remote_code or ""), LONGEST_CODE)
    if not message:
        return f"iManage says: {code}." if code else ""
    return f"iManage says: “{message}”{f' ({code})' if code else ''}."


def _plain(text: str) -> str:
    """Without curly quotes, unprintable characters (bidirectional marks are among them) and possible tokens."""
    text = _TOKEN_LIKE.sub(lambda run: run[0] if _is_word(run[0]) else "…", text)
    shown = "".join(" " if not sign.isprintable() else '"' if sign in "“”„‟" else sign for sign in text)
    return " ".join(shown.split())


def _is_word(run: str) -> bool:
    letters = run.replace("_", "")
    return letters.isalpha() and (letters.isupper() or len(run) < _LONGEST_WORD)


def _short(text: str, longest: int = LONGEST_MESSAGE) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def _advice(error: ImanageError, activity: Activity) -> Advice:
    table = IMANAGE_ADVICE | BY_ACTIVITY[activity]
    return most_specific(table, error.code) or IMANAGE_ADVICE["imanage.failed"]


def _wait(seconds: float | None) -> str:
    if seconds is None:
        return "a little"
    if seconds < 90:
        whole = max(1, math.ceil(seconds))
        return f"{whole} second{'s' if whole > 1 else ''}"
    return f"{math.ceil(seconds / 60)} minutes"
