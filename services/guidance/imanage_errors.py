"""What went wrong with iManage, in the words a person reads: what happened, what to do, and whose step it is."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from imanage.errors import ImanageError
from services.core.errors import Owner, RemoteRefusedError


@dataclass(frozen=True)
class Advice:
    """`{label}` stands for the server's name, `{wait}` for how long it asked to be left alone."""

    sentence: str
    next_step: str
    owner: Owner


Doing = Literal["reading", "searching", "saving"]
MOST_OF_ITS_WORDS, MOST_OF_ITS_CODE = 200, 60
_RUN = re.compile(r"[A-Za-z0-9_+/=-]{16,}")
"""What a token, a secret or a hash is written in. No word of a sentence is so long; a code such as NRC_… may be."""
_LONGEST_WORD = 24
LATER = "Try again in a few minutes."
ASK_ADMIN = "If it happens again, tell your System Admin."

# By the client's stable codes. A code without a row of its own takes the row of the code before its last dot.
ADVICE: dict[str, Advice] = {
    "imanage.unreachable": Advice(
        "{label} could not be reached.", f"{LATER} {ASK_ADMIN}", "your System Admin"
    ),
    "imanage.unreachable.name_not_found": Advice(
        "The address of {label} could not be found.",
        "Ask your System Admin to check the server's URL and this installation's DNS.",
        "your System Admin",
    ),
    "imanage.unreachable.refused": Advice(
        "{label} did not accept the connection.", f"{LATER} {ASK_ADMIN}", "your System Admin"
    ),
    "imanage.unreachable.silent": Advice("{label} took too long to answer.", LATER, "nobody"),
    "imanage.unreachable.reset": Advice("{label} broke off the connection.", LATER, "nobody"),
    "imanage.slow": Advice(
        "{label} is slow: other people’s pages are still waiting for its answer.",
        "Try again in a few seconds.",
        "nobody",
    ),
    "imanage.slow.yours": Advice(
        "{label} is slow: two of your pages are still waiting for its answer.",
        "Wait for them, or try again in a few seconds.",
        "nobody",
    ),
    "imanage.unreachable.tls": Advice(
        "{label} could not prove who it is: its certificate was not accepted.",
        "Ask your System Admin to have the server's certificate checked.",
        "your iManage admin",
    ),
    "imanage.blocked": Advice(
        "This installation does not allow connections to the address of {label}.",
        "Ask your System Admin to check the server's URL and COUNTERPART_IMANAGE_NETWORKS.",
        "your System Admin",
    ),
    "imanage.not_imanage": Advice(
        "Something answered at the address of {label}, but not as iManage Work does.",
        "Ask your System Admin to check the server's URL; a proxy or a sign-in page may stand in between.",
        "your System Admin",
    ),
    "imanage.not_imanage.proxy": Advice(
        "A proxy between Counterpart and {label} wants a sign-in of its own, and let nothing through.",
        "Ask your network team to let this installation reach the server's address without that sign-in.",
        "your network team",
    ),
    "imanage.redirected": Advice(
        "{label} sent us on to another address, and Counterpart does not follow such answers.",
        "Ask your System Admin to check the server's URL.",
        "your System Admin",
    ),
    "imanage.answer_too_large": Advice(
        "{label} sent far more than iManage would.",
        "Ask your System Admin to check the server's URL.",
        "your System Admin",
    ),
    "imanage.sign_in_refused": Advice(
        "{label} refused the sign-in.", "Sign in to iManage again. Your work here is kept.", "you"
    ),
    "imanage.unauthorised": Advice(
        "Your sign-in to {label} has ended.", "Sign in to iManage again. Your work here is kept.", "you"
    ),
    "imanage.forbidden": Advice(
        "{label} does not let you do this.",
        "Ask whoever manages the workspace in iManage for the right to it.",
        "your iManage admin",
    ),
    "imanage.not_found": Advice(
        "{label} cannot find this.",
        "It may have been moved or deleted, or you may no longer see it. Look for it again.",
        "you",
    ),
    "imanage.bad_id": Advice(
        "This is not the id of anything in {label}.", "Start again from the list of workspaces.", "you"
    ),
    "imanage.conflict": Advice(
        "The document is in use in {label}, or was changed by somebody else.",
        "Nothing was overwritten. Try again when it has been checked in.",
        "you",
    ),
    "imanage.too_large": Advice(
        "The file is larger than {label} accepts.",
        "Ask the iManage admin about the limit, or save a smaller file.",
        "your iManage admin",
    ),
    "imanage.rejected": Advice(
        "{label} did not accept this request.",
        "Tell your System Admin what it says. The same request will not be accepted later either.",
        "your System Admin",
    ),
    "imanage.throttled": Advice(
        "{label} is busy and asked us to wait {wait}.", "Try again after that.", "nobody"
    ),
    "imanage.server_fault": Advice("{label} has a fault at the moment.", LATER, "your iManage admin"),
    "imanage.outcome_unknown": Advice(
        "The answer from {label} was lost, so it is not known yet whether the change was made.",
        "It is looked up before anything is sent again.",
        "nobody",
    ),
    "imanage.cut_stream": Advice("The download from {label} broke off.", "Try again.", "nobody"),
    "imanage.stopped": Advice("The transfer was stopped.", "Start it again when you want to.", "you"),
    "imanage.source_failed": Advice(
        "The file could not be read in full here, so nothing was saved to {label}.",
        "Try again. If it happens again, tell your System Admin.",
        "your System Admin",
    ),
}
WHILE: dict[Doing, dict[str, Advice]] = {
    "reading": {},
    "searching": {
        "imanage.rejected": Advice(
            "{label} did not accept this search.",
            "Search for fewer or other words, without signs such as * or ?, or open the folder instead.",
            "you",
        ),
    },
    "saving": {
        "imanage.rejected": Advice(
            "{label} did not accept this document.",
            "Check the name, and ask the iManage admin which profile fields are required there.",
            "your iManage admin",
        ),
    },
}
"""Where the same refusal means something else to somebody who does something else."""
NO_INDEX = "NRC_INDEX_UNAVAILABLE"
WITHOUT_INDEX = Advice(
    "The search of {label} is not available at the moment.",
    "Open the folder instead, or search again later.",
    "your iManage admin",
)
UNKNOWN = Advice("{label} could not do this.", f"{LATER} {ASK_ADMIN}", "your System Admin")


def remote_refusal(error: ImanageError, server_label: str, doing: Doing = "reading") -> RemoteRefusedError:
    """The refusal that a page or a transfer shows for what the iManage client met, with iManage's own words."""
    advice = _advice(error, doing)
    return RemoteRefusedError(
        advice.sentence.format(label=server_label, wait=_wait(error.wait_seconds)),
        code=error.code,
        next_step=advice.next_step,
        owner=advice.owner,
        its_words=its_words(error),
    )


def its_words(error: ImanageError) -> str:
    """What iManage itself said, in one sentence of its own; empty where it said nothing.

    Whatever wrote it, it can neither end the quotation that it stands in nor fill a page.
    """
    said = [error.remote_message or "", *(f"{name}: {words}" for name, words in error.fields.items())]
    words = _short("; ".join(filter(None, map(_plain, said))))
    code = _short(_plain(error.remote_code or ""), MOST_OF_ITS_CODE)
    if not words:
        return f"iManage says: {code}." if code else ""
    return f"iManage says: “{words}”{f' ({code})' if code else ''}."


def _plain(words: str) -> str:
    """Without the marks that quote it here, what could be a token, and signs that turn or hide what is around them."""
    words = _RUN.sub(lambda run: run[0] if _is_word(run[0]) else "…", words)
    shown = "".join(" " if not sign.isprintable() else '"' if sign in "“”„‟" else sign for sign in words)
    return " ".join(shown.split())


def _is_word(run: str) -> bool:
    letters = run.replace("_", "")
    return letters.isalpha() and (letters.isupper() or len(run) < _LONGEST_WORD)


def _short(words: str, most: int = MOST_OF_ITS_WORDS) -> str:
    return words if len(words) <= most else f"{words[: most - 1].rstrip()}…"


def _advice(error: ImanageError, doing: Doing) -> Advice:
    if doing == "searching" and error.remote_code == NO_INDEX:
        return WITHOUT_INDEX
    code = error.code
    while code:
        if found := WHILE[doing].get(code) or ADVICE.get(code):
            return found
        code = code.rpartition(".")[0]
    return UNKNOWN


def _wait(seconds: float | None) -> str:
    if seconds is None:
        return "a little"
    if seconds < 90:
        whole = max(1, math.ceil(seconds))
        return f"{whole} second{'s' if whole > 1 else ''}"
    return f"{math.ceil(seconds / 60)} minutes"
