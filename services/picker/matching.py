"""Finds pasted document numbers in iManage, a few with each request, and says what became of each."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from imanage import documents
from imanage.client import Client
from imanage.errors import BadIdError, ForbiddenError, NotFoundError, RejectedError
from imanage.ids import VersionId
from imanage.types import Document
from services.access import permissions
from services.access.server_access import require_use
from services.connections import tokens
from services.core.actor import Actor
from services.core.errors import InvalidError
from services.core.text.file_names import visible
from services.picker.browse import DocumentRow, call_imanage, document_rows
from services.picker.pasted import MOST, Pasted, parse
from services.servers import transport
from services.transfers.requests import MOST_DOCUMENTS

Outcome = Literal["found", "several", "no_access", "not_found", "elsewhere", "unreadable"]

BATCH = 25
SECONDS = 4.0
LONGEST = 1_000_000
"""Characters that are read at all: ten thousand long links."""
REASONS: Mapping[Outcome, str] = {
    "no_access": "You do not have access to it in iManage.",
    "not_found": "iManage did not find it, or hides it from you.",
    "elsewhere": "This link belongs to another server.",
    "unreadable": "This is not a document number.",
}
COUNTED: Mapping[Outcome, str] = {
    "found": "found",
    "several": "in several libraries",
    "no_access": "without access",
    "not_found": "not found",
    "elsewhere": "on another server",
    "unreadable": "not a document number",
}


@dataclass(frozen=True)
class Match:
    """One pasted document. `several`: rows of more than one library."""

    pasted: Pasted
    outcome: Outcome
    rows: tuple[DocumentRow, ...] = ()


@dataclass(frozen=True)
class Matches:
    """Those found with one request. `rest` is what was not looked for yet, one on each line."""

    matches: tuple[Match, ...]
    counts: Counter[Outcome]
    rest: tuple[str, ...]

    @property
    def shown(self) -> list[Match]:
        return [each for each in self.matches if each.rows]

    @property
    def left_out(self) -> list[tuple[str, str]]:
        """What was pasted and is not shown, and why."""
        return [(visible(each.pasted.text), REASONS[each.outcome]) for each in self.matches if not each.rows]

    @property
    def sentence(self) -> str:
        counted = [f"{self.counts[name]:,} {words}" for name, words in COUNTED.items() if self.counts[name]]
        return ", ".join(counted) + "."

    @property
    def is_full(self) -> bool:
        """Whether as many were found as one transfer can take."""
        return self.counts["found"] >= MOST_DOCUMENTS


def match(
    actor: Actor,
    matter_id: uuid.UUID,
    server_id: uuid.UUID,
    text: str,
    before: Counter[Outcome],
    selected: Collection[VersionId] = (),
) -> Matches:
    """The first of the pasted documents. `before` counts those of the requests before, `selected` are the ones found.

    A document that was pasted twice, differently written, is shown once.

    Stops at as many as one transfer can take, after BATCH documents or after a few seconds. Raises InvalidError.
    """
    permissions.require_transfer(actor, matter_id)
    wanted = parse(text) if len(text) <= LONGEST else ()
    if len(wanted) > MOST or len(text) > LONGEST:
        raise InvalidError({"pasted": f"Paste {MOST:,} document numbers or fewer at once."})
    if not wanted:
        raise InvalidError({"pasted": "Paste at least one document number or link."})
    host = transport.endpoints(require_use(actor.id, server_id)).browser.partition("://")[2]
    preferred = tokens.home_of(actor.id, server_id).library
    capacity = max(0, MOST_DOCUMENTS - before["found"])

    def find(client: Client) -> list[tuple[Pasted, Outcome, tuple[Document, ...]]]:
        found: list[tuple[Pasted, Outcome, tuple[Document, ...]]] = []
        deadline = time.monotonic() + SECONDS
        for each in wanted[: min(BATCH, capacity)]:
            found.append((each, *_find(client, each, host, preferred)))
            if time.monotonic() > deadline:
                break
        return found

    found = call_imanage(actor, server_id, find, "searching")
    shown = document_rows(actor, matter_id, server_id, [each for *_, items in found for each in items])
    rows = {row.id: row for row in shown}
    seen = set(selected)
    matches = []
    for pasted, outcome, items in found:
        fresh = [rows[each.id] for each in items if each.id not in seen]
        seen |= {row.id for row in fresh}
        if fresh or not items:
            matches.append(Match(pasted, outcome, tuple(fresh)))
    counts = before + Counter(each.outcome for each in matches)
    return Matches(tuple(matches), counts, tuple(each.text for each in wanted[len(found) :]))


def _find(client: Client, pasted: Pasted, host: str, preferred: str) -> tuple[Outcome, tuple[Document, ...]]:
    """One or two calls: a version is read by its id, a number is searched. What is not found is read, to know why."""
    if pasted.number is None:
        return "unreadable", ()
    if pasted.host and pasted.host != host:
        return "elsewhere", ()
    library = pasted.library or preferred
    try:
        if not (pasted.library and pasted.version):
            found = _search(client, pasted.number, pasted.library, preferred)
            if len(found) > 1:
                return "several", found
            if found and pasted.version in {None, found[0].version}:
                return "found", found
            library = found[0].id.library if found else library
        if not library:
            return "not_found", ()
        version = VersionId.parse(f"{library}!{pasted.number}", pasted.version or 1)
        return "found", (documents.profile(client, version, latest=pasted.version is None),)
    except ForbiddenError:
        return "no_access", ()
    except (NotFoundError, RejectedError, BadIdError):
        return "not_found", ()


def _search(client: Client, number: int, library: str, preferred: str) -> tuple[Document, ...]:
    """The documents with this number; none where the server does not search by it."""
    try:
        return documents.by_number(client, number, library or None, preferred=preferred).items
    except RejectedError:
        return ()
