"""Export of the members as CSV, and import in two steps: a preview, then the changes."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from models import Member, MemberImport, new_id, utcnow
from services.access import permissions
from services.core import audit
from services.core.actor import Actor
from services.core.errors import ConflictError, InvalidError, NotFoundError
from services.core.text.csv import csv_lines
from services.core.text.csv_reading import read_table
from services.core.text.email_addresses import email_key
from services.core.text.normalise import clean_line, fold
from services.core.unit_of_work import session, unit_of_work
from services.directory import details as directory_details
from services.directory import organisations, people
from services.directory import search as directory_search
from services.directory.details import Details
from services.directory.organisations import OrganisationName
from services.directory.search import MemberFilter
from services.members import invitations
from services.members.invitations import NewInvitation

Action = Literal["add", "change", "unchanged", "refused"]

LIFETIME = timedelta(hours=1)
BATCH = 500
HEADER = ("Name", "Email", "Kind", "Organisation", "System Admin", "Active", "Matters", "Since")
# Accepted column headings, folded, and the field of each.
HEADINGS = {
    "name": "name", "full name": "name", "display name": "name",
    "email": "email", "e-mail": "email", "e-mail address": "email", "email address": "email", "mail": "email",
    "kind": "kind", "organisation": "organisation", "organization": "organisation", "firm": "organisation",
    "company": "organisation", "system admin": "admin",
}  # fmt: skip
COLUMNS = {
    "name": "Name",
    "email": "Email",
    "kind": "Kind",
    "organisation": "Organisation",
    "admin": "System Admin",
}
REST = ("kind", "organisation", "admin")
YES, NO = frozenset({"yes", "true", "1"}), frozenset({"", "no", "false", "0"})


@dataclass(frozen=True)
class Entry:
    """A row of the file; None: the file has no such column."""

    row: int
    name: str
    email: str
    kind: str | None = None
    organisation: str | None = None
    admin: str | None = None


@dataclass(frozen=True)
class JudgedRow:
    """What a row would do. `reasons` are (column, sentence) pairs of a refused row."""

    entry: Entry
    action: Action
    details: Details
    member_id: uuid.UUID | None = None
    changes: tuple[str, ...] = ()
    reasons: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Preview:
    id: uuid.UUID
    file_name: str
    rows: tuple[JudgedRow, ...]

    def of(self, action: str) -> tuple[JudgedRow, ...]:
        return tuple(row for row in self.rows if row.action == action)


@dataclass(frozen=True)
class Imported:
    added: int
    changed: int
    refused: int
    invited: int


def export(actor: Actor, text: str, wanted: MemberFilter) -> Iterator[str]:
    """All members that match, by name, line by line."""
    permissions.require_admin(actor)
    with unit_of_work():
        audit.record(actor, "members.exported", "", search=text)
    return csv_lines(HEADER, _rows(text, wanted))


def read(actor: Actor, file_name: str, data: bytes) -> uuid.UUID:
    """Store the rows of a file for an hour, for the preview. Raises InvalidError if it is no table of members."""
    permissions.require_admin(actor)
    entries = _entries(data)
    row = MemberImport(id=new_id(), member_id=actor.id, file_name=clean_line(file_name)[:200])
    row.rows = [[e.row, e.name, e.email, e.kind, e.organisation, e.admin] for e in entries]
    with unit_of_work() as writing:
        writing.execute(delete(MemberImport).where(MemberImport.created_at < utcnow() - LIFETIME))
        writing.add(row)
    return row.id


def preview(actor: Actor, import_id: uuid.UUID) -> Preview:
    """What the file would change now. Visible only to the person who uploaded it."""
    row = _require(actor, import_id)
    return Preview(row.id, row.file_name, _judge([Entry(*values) for values in row.rows]))


def run(actor: Actor, import_id: uuid.UUID, *, invite: bool) -> Imported:
    """Add and change the members of the file, all or none, without the refused rows; `invite` those added."""
    with unit_of_work():
        file = preview(actor, import_id)
        added, changed = file.of("add"), file.of("change")
        if not added and not changed:
            raise ConflictError("This file has nothing to import.")
        ids = _add(actor, added)
        _change(actor, changed)
        if invite:
            wanted = [(row.details, member_id) for row, member_id in zip(added, ids, strict=True)]
            invitations.create_all(
                actor,
                [(NewInvitation(d.email, d.name, d.organisation, d.is_guest), each) for d, each in wanted],
            )
        done = Imported(len(added), len(changed), len(file.of("refused")), len(added) if invite else 0)
        audit.record(actor, "members.imported", file.file_name, **vars(done))
        session().execute(delete(MemberImport).where(MemberImport.id == import_id))
        return done


def _rows(text: str, wanted: MemberFilter) -> Iterator[tuple[object, ...]]:
    after: Member | None = None
    while found := directory_search.by_name(wanted, BATCH, after=after, containing=text):
        for row in people.views(found):
            kind, admin = "Guest" if row.is_guest else "Member", "Yes" if row.is_admin else "No"
            active, since = "Yes" if row.is_active else "No", row.created_at.date().isoformat()
            yield row.name, row.email, kind, row.organisation, admin, active, row.matters, since
        after = found[-1]


def _entries(data: bytes) -> list[Entry]:
    table = read_table(data)
    columns: dict[str, int] = {}
    for index, heading in enumerate(table[0][1]):
        columns.setdefault(HEADINGS.get(fold(heading), ""), index)
    if not {"name", "email"} <= columns.keys():
        raise InvalidError(
            {"file": "The first row must contain the column names, with at least Name and Email."}
        )
    if len(table) == 1:
        raise InvalidError({"file": "The file has column names but no rows."})

    def cell(cells: list[str], column: str) -> str | None:
        index = columns.get(column)
        return None if index is None else clean_line(cells[index]) if index < len(cells) else ""

    return [
        Entry(number, cell(cells, "name") or "", cell(cells, "email") or "", *(cell(cells, c) for c in REST))
        for number, cells in table[1:]
    ]


def _judge(entries: list[Entry]) -> tuple[JudgedRow, ...]:
    known = _known([email_key(entry.email) for entry in entries])
    first: dict[str, int] = {}
    judged = []
    for entry in entries:
        key = email_key(entry.email)
        earlier = first.setdefault(key, entry.row)
        row = _judge_one(entry, known.get(key))
        if key and earlier != entry.row:
            row = JudgedRow(
                entry,
                "refused",
                row.details,
                reasons=((COLUMNS["email"], f"Row {earlier} has the same address."),),
            )
        judged.append(row)
    return tuple(judged)


def _known(keys: list[str]) -> dict[str, Member]:
    found: dict[str, Member] = {}
    for start in range(0, len(keys), BATCH):
        some = select(Member).where(Member.email_key.in_(keys[start : start + BATCH]))
        found |= {row.email_key: row for row in session().scalars(some)}
    return found


def _judge_one(entry: Entry, row: Member | None) -> JudgedRow:
    kind, admin = fold(entry.kind or ""), fold(entry.admin or "")
    is_guest = kind == "guest" if kind else bool(row and row.is_guest)
    is_admin = bool(row and row.is_admin) if entry.admin is None else admin in YES
    organisation = entry.organisation if entry.organisation is not None else row.organisation if row else ""
    details = Details(
        entry.name, row.email if row else entry.email, organisation, is_admin, is_guest
    ).normalised()
    faults = directory_details.problems(details)
    if "is_admin" in faults:
        faults["admin"] = faults.pop("is_admin")
    if kind not in {"", "member", "guest"}:
        faults["kind"] = "Enter Member or Guest."
    elif row and row.is_guest != is_guest:
        faults["kind"] = "A member cannot become a guest, or a guest a member."
    if admin not in YES | NO:
        faults["admin"] = "Enter Yes or No."
    elif is_admin != bool(row and row.is_admin):
        faults["admin"] = "A file cannot change who is a System Admin. Do that on the member’s page."
    changes = _changes(row, details) if row else ()
    if row and changes and not row.is_active:
        faults["email"] = "This member is deactivated. Reactivate them first."
    if faults:
        return JudgedRow(
            entry, "refused", details, reasons=tuple((COLUMNS[at], said) for at, said in faults.items())
        )
    if row is None:
        return JudgedRow(entry, "add", details)
    return JudgedRow(entry, "change" if changes else "unchanged", details, row.id, changes)


def _changes(row: Member, details: Details) -> tuple[str, ...]:
    pairs = (("name", row.name, details.name), ("organisation", row.organisation, details.organisation))
    return tuple(
        f"{what}: {before or '–'} → {after or '–'}" for what, before, after in pairs if before != after
    )


def _add(actor: Actor, rows: tuple[JudgedRow, ...]) -> list[uuid.UUID]:
    """Add members without a password: they cannot sign in before they are invited or given one."""
    ids = [new_id() for _ in rows]
    known = _organisations(rows)
    values, events = [], []
    for each, member_id in zip(rows, ids, strict=True):
        details = each.details
        values.append(directory_details.values_of(details, known) | {"id": member_id, "password_hash": ""})
        action = "guest.added" if details.is_guest else "member.added"
        events.append(
            audit.event(actor, action, details.name, subject_id=member_id, email=details.email, imported=True)
        )
    try:
        for start in range(0, len(values), BATCH):
            session().execute(insert(Member), values[start : start + BATCH])
    except IntegrityError as error:
        raise ConflictError("Someone in this file has just been added. Reload the preview.") from error
    audit.record_all(events)
    return ids


def _change(actor: Actor, rows: tuple[JudgedRow, ...]) -> None:
    known = _known([email_key(each.details.email) for each in rows])
    named, events = _organisations(rows), []
    for each in rows:
        row = known[email_key(each.details.email)]
        for column, value in directory_details.values_of(each.details, named).items():
            setattr(row, column, value)
        changes = list(each.changes)
        events.append(
            audit.event(actor, "member.changed", row.name, subject_id=row.id, changes=changes, imported=True)
        )
    session().flush()
    audit.record_all(events)


def _organisations(rows: tuple[JudgedRow, ...]) -> dict[str, OrganisationName]:
    """The organisations of the guests in the file, with new ones added."""
    return organisations.require({each.details.organisation for each in rows if each.details.is_guest})


def _require(actor: Actor, import_id: uuid.UUID) -> MemberImport:
    permissions.require_admin(actor)
    row = session().get(MemberImport, import_id)
    if row is None or row.member_id != actor.id or row.created_at < utcnow() - LIFETIME:
        raise NotFoundError(
            "This file has already been imported, or was uploaded more than an hour ago. Choose it again."
        )
    return row
