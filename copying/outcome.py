"""Resolves the outcome of a send whose answer was lost, from the intent and from what iManage holds now. Pure.

The rule: Found only if exactly one new version agrees in everything that we can see. Absent only if nothing there could
be ours. Everything between is Undecided, with its reason: nothing is guessed.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from copying.values import (
    Absent,
    Found,
    Intent,
    Known,
    NewDocument,
    Present,
    Replace,
    Resolution,
    SourceFacts,
    Target,
    Undecided,
)
from imanage.ids import VersionId

SKEW = timedelta(minutes=5)
"""How far iManage's clock may be behind ours."""
QUIET = timedelta(seconds=30)
"""How long iManage may still be storing what it received before the answer was lost. Nothing is sent again sooner."""
CHECK_AGAIN = timedelta(seconds=10)
"""The wait before another check while iManage may still be storing."""


def resolve(
    intent: Intent,
    present: Sequence[Present],
    *,
    now: datetime,
    last_sent_at: datetime | None,
    claimed: Collection[VersionId] = (),
) -> Resolution:
    """`last_sent_at` is when the last byte may have left; None: the time of the announcement."""
    if isinstance(intent.target, Replace):
        candidates = [each for each in present if each.id == intent.target.onto]
        if not candidates:
            return Undecided("The version to be replaced is no longer in iManage.")
    else:
        candidates = [each for each in present if _is_new(intent, each, claimed)]
    alike = [each for each in candidates if _may_hold_our_bytes(intent, each)]

    marked = [each for each in candidates if _has_mark(intent, each)]
    if marked:
        return _resolve_marked(marked, intent)
    if not alike:
        return _resolve_absent(candidates, intent, now, last_sent_at or intent.announced_at)
    if unproved := [each for each in alike if each.sha256 is None]:
        ids = _names(unproved)
        return Undecided(f"iManage gives no checksum for {ids}, so it cannot be told apart.", tuple(alike))
    return _resolve_alike(alike, intent)


def announce(
    target: Target,
    facts: SourceFacts,
    *,
    operator: str | None,
    now: datetime,
    baseline: Sequence[Known],
    mark: str | None = None,
    comment: str | None = None,
    needs_mark: bool = False,
    profile: Mapping[str, str] | None = None,
) -> Intent:
    """The intent, committed before a send. Of a folder's documents it keeps those that could be mistaken for ours."""
    if facts.size is None or facts.sha256 is None:
        raise ValueError("what is sent has a known size and SHA-256")
    if isinstance(target, NewDocument):
        name = facts.name.casefold()
        baseline = [
            known
            for known in baseline
            if known.sha256 in (None, facts.sha256) or known.name.casefold() == name
        ]
    return Intent(
        target,
        facts.name,
        facts.extension,
        facts.size,
        facts.sha256,
        operator,
        now,
        tuple(Known(known.id, known.sha256) for known in baseline),
        mark,
        comment,
        needs_mark,
        profile or {},
    )


def sent_before(baseline: Sequence[Known], mark: str, sha256: str) -> Known | None:
    """The version that this save has stored already: its row comes from an older backup and does not know.

    If no version with the mark has our bytes, one with other bytes counts: some servers alter what they store.
    """
    marked = [each for each in baseline if mark in (each.comment or "")]
    ours = [each for each in marked if each.sha256 in (None, sha256)] or marked
    return ours[0] if len(ours) == 1 else None


def lacks_proof(intent: Intent, each: Present, claimed: Collection[VersionId] = ()) -> bool:
    """Whether its bytes must be read back, because iManage gives no checksum and they could be ours."""
    in_question = isinstance(intent.target, Replace) or _is_new(intent, each, claimed)
    return in_question and each.sha256 is None and _may_hold_our_bytes(intent, each)


def lacks_comment(intent: Intent, each: Present, claimed: Collection[VersionId] = ()) -> bool:
    """Whether its profile must be read: iManage may omit comments in lists, and the mark with them."""
    in_question = intent.needs_mark and _is_new(intent, each, claimed)
    may_be_ours = _may_hold_our_bytes(intent, each) or _may_be_ours_altered(intent, each)
    return in_question and not each.comment and may_be_ours


def _is_new(intent: Intent, each: Present, claimed: Collection[VersionId]) -> bool:
    return each.id not in claimed and all(each.id != known.id for known in intent.baseline)


def _may_hold_our_bytes(intent: Intent, each: Present) -> bool:
    if each.sha256 is not None:
        return each.sha256 == intent.sha256
    return each.size is None or each.size == intent.size


def _may_be_ours_altered(intent: Intent, each: Present) -> bool:
    """Whether it could be ours with altered bytes: some servers add to what they store.

    Never so for Replace: it can be sent again without creating a duplicate.
    """
    if isinstance(intent.target, Replace):
        return False
    if intent.operator and each.operator and each.operator.casefold() != intent.operator.casefold():
        return False
    date = each.created_at if isinstance(intent.target, NewDocument) else each.edited_at
    if date is not None and date < intent.announced_at - SKEW:
        return False
    if isinstance(intent.target, NewDocument):
        named = (each.name.casefold(), each.extension.casefold())
        return each.id.version == 1 and named == (intent.name.casefold(), intent.extension.casefold())
    return True


def _has_mark(intent: Intent, each: Present) -> bool:
    return bool(intent.mark and each.comment and intent.mark in each.comment)


def _resolve_marked(marked: Sequence[Present], intent: Intent) -> Resolution:
    # A later version may have inherited the comment, so the mark alone does not prove the bytes.
    ours = [each for each in marked if _may_hold_our_bytes(intent, each)]
    if len(ours) == 1:
        return Found(ours[0], f"{ours[0].id} carries the mark of this save.")
    if ours:
        return Undecided(f"{_names(ours)} carry the mark of this save.", tuple(ours))
    return Undecided(f"{_names(marked)} carries the mark of this save, but other bytes.", tuple(marked))


def _resolve_absent(
    others: Sequence[Present], intent: Intent, now: datetime, last_sent_at: datetime
) -> Resolution:
    quiet_for = now - last_sent_at
    if quiet_for < QUIET:
        return Undecided(
            "It is not in iManage yet; iManage may still be storing it.",
            again_after=min(CHECK_AGAIN, QUIET - quiet_for).total_seconds(),
        )
    if altered := [each for each in others if not intent.needs_mark and _may_be_ours_altered(intent, each)]:
        return Undecided(
            f"{_names(altered)} came at that time, but with other bytes than ours.", tuple(altered)
        )
    if others and not isinstance(intent.target, Replace):
        return Absent("What was added in iManage since is a different file: this save did not arrive.")
    return Absent("It is not in iManage: this save did not arrive.")


def _resolve_alike(alike: Sequence[Present], intent: Intent) -> Resolution:
    doubts = {each.id: _doubt(intent, each) for each in alike}
    agreeing = [each for each in alike if doubts[each.id] is None]
    if len(agreeing) == 1:
        return Found(agreeing[0], f"{agreeing[0].id} has the same checksum, and it was not there before.")
    if agreeing:
        return Undecided(f"{_names(agreeing)} all have the same checksum.", tuple(agreeing))
    reasons = " ".join(f"{id} has the same checksum, but {doubt}." for id, doubt in doubts.items())
    return Undecided(reasons, tuple(alike))


def _doubt(intent: Intent, each: Present) -> str | None:
    """Why a version with our bytes may come from another save; None where it is ours."""
    if isinstance(intent.target, Replace):
        return None  # The version was named, and it holds our bytes now: nothing else is needed.
    if intent.needs_mark:
        return "it does not carry the mark of this save"
    if intent.operator and each.operator and each.operator.casefold() != intent.operator.casefold():
        return f"it was saved by {each.operator}"
    date = each.created_at or each.edited_at if isinstance(intent.target, NewDocument) else each.edited_at
    if date is not None and date < intent.announced_at - SKEW:
        return f"it is dated {date:%d %B %Y, %H:%M} UTC, before this save began"
    if isinstance(intent.target, NewDocument) and each.id.version != 1:
        return "it is a later version of a document"
    return None


def _names(versions: Sequence[Present]) -> str:
    return ", ".join(str(each.id) for each in versions)
