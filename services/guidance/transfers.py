"""Advice for what a check before a save finds, and for what stops, fails or holds up a document on its way."""

from __future__ import annotations

from services.guidance.advice import NOBODY, SYSTEM_ADMIN, Advice

_AGAIN = "Try again. If it happens again, tell your System Admin."
_COMPARE = "Nothing was sent. Compare the two versions, then choose."
_PROFILE = "Compare it in iManage. Ask the iManage admin to correct its profile, then get it again."
_STORED = "Open it in iManage and compare, then choose. If it is wrong, leave it as is and save again."

SAVE_ADVICE: dict[str, Advice] = {
    "save.empty": Advice(
        "{name} is empty (0 bytes), so it cannot be saved to {label}.",
        "Add a version with content first.",
        title="This file is empty",
        brief="empty",
    ),
    "save.there_already": Advice(
        "Version {held} in {label} is identical to this file.", title="There is nothing to save"
    ),
    "save.moved_on": Advice(
        "The latest version there is {latest}. The last one you had here was {had}.",
        "Get it first to see what changed.",
        title="{label} has a newer version",
        brief="{label} has a newer version, {latest}",
        accept="Save on top of version {latest} anyway",
    ),
    "save.moved_on.replace": Advice(
        "The latest version there is {latest}. The last one you had here was {had}.",
        "Replacing it would overwrite version {latest}. Get it first, or choose Save as new version.",
        title="{label} has a newer version",
    ),
    "save.moved_on.rewritten": Advice(
        "Version {latest} there was edited after you got or saved it.",
        "Get it first to see what changed.",
        title="Version {latest} was edited in {label}",
        brief="version {latest} was edited in {label}",
        accept="Save on top of version {latest} anyway",
    ),
    "save.moved_on.other_version": Advice(
        "You chose version {had}. The latest version there is {latest}.",
        "Open it in iManage to see what changed.",
        title="{label} has a newer version",
        accept="Save on top of version {latest} anyway",
    ),
    "save.checked_out": Advice(
        "You cannot save to it until it is checked in to {label}.",
        "Ask them to check it in, or choose Save as new document.",
        title="Checked out by {holder}",
        brief="checked out by {holder}",
    ),
    "save.lost": Advice(
        "Choose Save as new document to save it again.",
        title="The document is no longer in {label}",
        brief="lost",
    ),
    "save.no_access": Advice(
        "Ask for access in iManage, or choose Save as new document.",
        title="You cannot see the document in {label}",
        brief="no access",
    ),
    "save.other_type": Advice(
        "This file is .{ours} and the document in iManage is .{theirs}, so its type would change.",
        "Choose Save as new document to keep both.",
        title="The file types differ",
        brief="is .{theirs} in iManage",
        accept="Save as .{ours} anyway",
    ),
}
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
    "undo.done": Advice("{name} has already undone this transfer."),
    "undo.late": Advice("A transfer that got documents can be undone for 30 days after it has finished."),
    "undo.nothing": Advice("Nothing in this transfer can be undone: all of it has been used since."),
    "transfer.not_saved": Advice("{because} Nothing was saved to iManage.", "{next_step}"),
}
