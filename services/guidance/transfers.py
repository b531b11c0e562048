"""Advice for what stops, fails or holds up a document on its way."""

from __future__ import annotations

from services.guidance.advice import NOBODY, SYSTEM_ADMIN, Advice

_AGAIN = "Try again. If it happens again, tell your System Admin."
_COMPARE = "Nothing was sent. Compare the two versions, then choose."
_PROFILE = "Compare it in iManage. Ask the iManage admin to correct its profile, then get it again."
_STORED = "Open it in iManage and compare, then choose. If it is wrong, leave it as is and save again."

TRANSFER_ADVICE: dict[str, Advice] = {
    "transfer.cancelled": Advice("The transfer was cancelled."),
    "transfer.left": Advice("Skipped by choice."),
    "transfer.stopped": Advice("{reason}", _AGAIN),
    "member.inactive": Advice("The person who started it was deactivated.", "", NOBODY),
    "matter.role": Advice("You can no longer change this matter’s documents."),
    "server.removed": Advice("The iManage server has been removed.", "", NOBODY),
    "not_found.server": Advice(
        "You can no longer use this iManage server.", "Ask your System Admin if you need it.", SYSTEM_ADMIN
    ),
    "transfer.database": Advice("Counterpart’s database was unavailable for a moment.", _AGAIN, SYSTEM_ADMIN),
    "transfer.unexpected": Advice("Counterpart met an unexpected error.", _AGAIN, SYSTEM_ADMIN),
    "transfer.cut_short": Advice(
        "The connection ended after {got:,} of {expected:,} bytes.", _AGAIN, SYSTEM_ADMIN
    ),
    "transfer.too_long": Advice(
        "The document is larger than {limit:,} bytes, the most that can be copied.", _AGAIN, SYSTEM_ADMIN
    ),
    "transfer.empty": Advice(
        "This document is empty (0 bytes) in iManage, so it was not added.",
        "Open it in iManage, and get it again when it has content.",
    ),
    "transfer.different.size": Advice(
        "iManage lists {expected} bytes but sent {got}. Nothing was kept.", _PROFILE
    ),
    "transfer.different.SHA-256": Advice(
        "What iManage sent does not match its checksum. Nothing was kept.", _PROFILE
    ),
    "transfer.stored_different.size": Advice(
        "iManage stored {present.id} with {stored} bytes, and {sent} were sent.", _STORED
    ),
    "transfer.stored_different.SHA-256": Advice(
        "iManage stored {present.id}, but its checksum is not that of the file that was sent.", _STORED
    ),
    "transfer.moved_on": Advice(
        "iManage has a newer version, {version}, than the one this copy is based on.", _COMPARE
    ),
    "transfer.checked_out": Advice("Someone has the document checked out in iManage.", _COMPARE),
    "transfer.uncertain": Advice("iManage did not say whether it stored the document.", _AGAIN, SYSTEM_ADMIN),
    "transfer.uncertain_for_good": Advice("{because}", "{next_step}"),
    "transfer.looking_up": Advice("{because}", "", NOBODY),
    "transfer.undecided": Advice("{because}", "Check in iManage whether it arrived, then choose."),
    "transfer.not_saved": Advice("{because} Nothing was saved to iManage.", "{next_step}"),
}
