"""Watches twins in the background: at most one call a second to a server, with the sign-ins of those who use it.

A twin is checked when it is due: within the hour, sooner after its matter was opened, and at once after a change event
where the server has them; then once a day is enough. It is checked as the member who got or saved it, else as a lead of
the matter: nobody else's sign-in says whether access was lost. Where none of them is signed in, it is not checked.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta

import structlog
from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update

from imanage import change_events
from imanage.change_events import Changes
from imanage.errors import ForbiddenError, ImanageError, ServerFaultError, ThrottledError, UnreachableError
from imanage.ids import DocumentId, VersionId
from models import (
    CHECK_EVERY,
    ChangeCursor,
    Connection,
    Document,
    Link,
    Matter,
    Member,
    Participant,
    Server,
    TwinWatch,
    utcnow,
)
from services.access import permissions
from services.access.server_access import available_to
from services.connections import tokens
from services.core.actor import Actor
from services.core.errors import RefusedError
from services.core.unit_of_work import release, session, unit_of_work, upsert
from services.drift import losses
from services.servers import circuit_breaker, server_facts, transport
from services.transfers import update_check
from services.transfers.update_check import Twin

PACE_SECONDS = 1.0
RUN_SECONDS = 40.0
LEASE = timedelta(seconds=90)
"""Longer than a run and its last call together."""
POLL_EVERY = timedelta(seconds=20)
NEW_LIBRARIES_EVERY = 300.0
RECENT = timedelta(minutes=5)
"""A twin that was checked within this time is not checked again because its matter is opened."""
FIRST_IN_QUEUE = timedelta(days=1)
WATCHED_AGAIN = timedelta(hours=20)
AFTER_FAILURE = timedelta(minutes=5)
WITHOUT_EVENTS = timedelta(hours=1)
WITHOUT_ASKERS = timedelta(minutes=1)
OF_THE_SERVER = (UnreachableError, ThrottledError, ServerFaultError)
"""Errors that say nothing about one document: no more calls are made for a while."""

log = structlog.get_logger()
_libraries_read = float("-inf")


def request(actor: Actor, matter_id: uuid.UUID) -> None:
    """The matter was opened: its twins are the next to be checked. Writes nothing if all were checked recently."""
    permissions.require_see_twins(actor, matter_id)
    now = utcnow()
    stale = and_(
        Link.document_id.in_(select(Document.id).where(Document.matter_id == matter_id)),
        Link.ended_at.is_(None),
        Link.checked_at < now - RECENT,
        Link.check_at > now,
    )
    if session().scalar(select(Link.id).where(stale).limit(1)) is not None:
        with unit_of_work(relaxed_durability=True) as writing:
            writing.execute(update(Link).where(stale).values(check_at=now - FIRST_IN_QUEUE))


def sweep(actor: Actor, matter_id: uuid.UUID) -> str:
    """Check every twin of a matter: for ten seconds as this person, the rest in the background. Returns a sentence."""
    checked = update_check.check(actor, matter_id)
    server_ids = [server.id for server in available_to(actor)]
    if not checked.left or not has_askers(matter_id, server_ids):
        return checked.sentence
    request(actor, matter_id)
    more = "1 more is" if checked.left == 1 else f"{checked.left} more are"
    return f"{replace(checked, left=0).sentence} {more} checked in the background."


def has_askers(matter_id: uuid.UUID, server_ids: Collection[uuid.UUID]) -> bool:
    """Whether somebody is signed in whose sign-in may be used for the matter's twins."""
    return any(_askers(matter_id, server_id) for server_id in server_ids)


def check_due() -> int:
    """A duty of the worker: read the change events and check the twins that are due. Returns how many it did."""
    _watch_new_libraries()
    servers = [server_id for server_id in _due_servers() if _lease(server_id, LEASE)]
    done, rounds, end = 0, 0, time.monotonic() + RUN_SECONDS
    while servers and time.monotonic() < end:
        rounds += 1
        began = time.monotonic()
        for server_id in tuple(servers):
            try:
                did = _one_call(server_id, polls_first=rounds % 2 == 1)
            except ImanageError as error:
                log.warning("twins.check_failed", server=str(server_id), code=error.code)
                _lease(server_id, AFTER_FAILURE, renew=True)
                servers.remove(server_id)
                continue
            done += did
            if not did:
                _lease(server_id, timedelta(0), renew=True)
                servers.remove(server_id)
        if servers:
            time.sleep(max(0.0, PACE_SECONDS - (time.monotonic() - began)))
    for server_id in servers:
        _lease(server_id, timedelta(0), renew=True)
    return done


def _due_servers() -> list[uuid.UUID]:
    """Enabled servers with something due, whose circuit is closed."""
    now = utcnow()
    due = or_(
        Server.id.in_(_due().with_only_columns(Link.server_id)),
        Server.id.in_(select(ChangeCursor.server_id).where(ChangeCursor.poll_at <= now)),
    )
    found = session().scalars(select(Server.id).where(Server.is_enabled, due)).all()
    resting = circuit_breaker.open_circuits() if found else {}
    release()
    return [server_id for server_id in found if server_id not in resting]


def _lease(server_id: uuid.UUID, length: timedelta, *, renew: bool = False) -> bool:
    """Take the server for this worker; False while another has it. `renew` changes the lease that this one has."""
    now = utcnow()
    until = {"leased_until": now + length}
    with unit_of_work(relaxed_durability=True) as writing:
        made = upsert(TwinWatch).values(server_id=server_id, **until)
        free = None if renew else TwinWatch.leased_until <= now
        taken = made.on_conflict_do_update(index_elements=["server_id"], set_=until, where=free)
        return writing.scalar(taken.returning(TwinWatch.server_id)) is not None


def _one_call(server_id: uuid.UUID, *, polls_first: bool) -> bool:
    """The next call to this server, and what it says; False if nothing is due. Raises ImanageError."""
    steps = (_poll_due, _check_due) if polls_first else (_check_due, _poll_due)
    return any(step(server_id) for step in steps)


def _poll_due(server_id: uuid.UUID) -> bool:
    query = select(ChangeCursor).where(ChangeCursor.server_id == server_id, ChangeCursor.poll_at <= utcnow())
    row = session().scalar(query.order_by(ChangeCursor.poll_at).limit(1))
    return row is not None and _poll(server_id, row.library, row.library_key, row.cursor)


def _check_due(server_id: uuid.UUID) -> bool:
    query = _due().where(Link.server_id == server_id).order_by(Link.check_at).limit(1)
    due = session().execute(query).one_or_none()
    if due is not None:
        _check(*due)
    return due is not None


def _due() -> Select[Link, uuid.UUID]:
    """Links that are due, each with its matter; those in the bin wait there."""
    return (
        select(Link, Document.matter_id)
        .join(Document, Document.id == Link.document_id)
        .join(Matter, Matter.id == Document.matter_id)
        .where(Link.ended_at.is_(None), Link.check_at <= utcnow(), Matter.binned_at.is_(None))
    )


def _check(link: Link, matter_id: uuid.UUID) -> None:
    """Check the twin of this link, as the first whose sign-in works."""
    known = VersionId(link.library, link.number, link.version)
    twin, server_id = Twin(link.server_id, known.document, known), link.server_id
    askers = _askers(matter_id, server_id, link)
    again_after = WATCHED_AGAIN if _is_watched(server_id, known.document) else CHECK_EVERY
    outbound = transport.outbound(session().get_one(Server, server_id), for_page=True)
    release()
    for member_id in askers:
        try:
            found = update_check.ask(member_id, twin, outbound)
        except RefusedError:
            continue
        except OF_THE_SERVER:
            raise
        except ImanageError as error:
            log.warning("twins.check_failed", server=str(server_id), code=error.code)
            break
        update_check.store(matter_id, twin, found, member_id, again_after)
        if found.document is None:
            losses.tell()
        return
    where = _of(matter_id, server_id, None if askers == [] else known.document)
    with unit_of_work(relaxed_durability=True) as writing:
        writing.execute(update(Link).where(where).values(check_at=utcnow() + CHECK_EVERY))


def _of(matter_id: uuid.UUID, server_id: uuid.UUID, document: DocumentId | None) -> ColumnElement[bool]:
    """The due links of a matter on a server, or those to one document there."""
    where = [
        Link.document_id.in_(select(Document.id).where(Document.matter_id == matter_id)),
        Link.server_id == server_id,
        Link.check_at <= utcnow(),
    ]
    if document is not None:
        where += [Link.library_key == document.library_key, Link.number == document.number]
    return and_(*where)


def _askers(matter_id: uuid.UUID, server_id: uuid.UUID, link: Link | None = None) -> list[uuid.UUID]:
    """Who may be asked as: the member who made the link, then the leads; those in the matter who are signed in.

    Without a link, everybody who made one in the matter.
    """
    makers = (
        select(Link.member_id)
        .join(Document, Document.id == Link.document_id)
        .where(Document.matter_id == matter_id, Link.server_id == server_id, Link.ended_at.is_(None))
    )
    is_maker = Participant.member_id.in_(makers) if link is None else Participant.member_id == link.member_id
    found = session().scalars(
        select(Participant.member_id)
        .join(Member, Member.id == Participant.member_id)
        .join(Connection, Connection.member_id == Participant.member_id)
        .where(
            Participant.matter_id == matter_id,
            Connection.server_id == server_id,
            Connection.state == "connected",
            Member.is_active,
            Member.is_guest.is_(False),
            or_(is_maker, Participant.role == "lead"),
        )
        .order_by(is_maker.desc(), Participant.member_id)
    )
    return list(found)


# -- change events ---------------------------------------------------------------------------------------------


def _watch_new_libraries() -> None:
    """Begin to follow libraries with twins that are not followed yet."""
    global _libraries_read
    if time.monotonic() - _libraries_read < NEW_LIBRARIES_EVERY:
        return
    _libraries_read = time.monotonic()
    followed = select(ChangeCursor.library_key).where(
        ChangeCursor.server_id == Link.server_id, ChangeCursor.library_key == Link.library_key
    )
    rows = session().execute(
        select(Link.server_id, Link.library_key, func.max(Link.library))
        .where(Link.ended_at.is_(None), ~followed.exists())
        .group_by(Link.server_id, Link.library_key)
    )
    new = [ChangeCursor(server_id=server, library_key=key, library=name) for server, key, name in rows]
    release()
    if new:
        with unit_of_work() as writing:
            for row in new:
                values = {"server_id": row.server_id, "library_key": row.library_key, "library": row.library}
                writing.execute(
                    upsert(ChangeCursor)
                    .values(cursor="", poll_at=utcnow(), **values)
                    .on_conflict_do_nothing()
                )


def _is_watched(server_id: uuid.UUID, document: DocumentId) -> bool:
    """Whether change events of the document's library are read."""
    row = session().get(ChangeCursor, (server_id, document.library_key), populate_existing=True)
    return row is not None and bool(row.cursor)


def _poll(server_id: uuid.UUID, library: str, library_key: str, cursor: str) -> bool:
    """Read the events since the last poll; False if no call was made."""
    server = session().get_one(Server, server_id)
    outbound = transport.outbound(server, for_page=True)
    has_events = server_facts.of(server).change_events
    askers = _pollers(server_id, library_key) if has_events else []
    release()
    for member_id in askers:
        try:
            found = tokens.with_client(
                member_id, server_id, lambda client: change_events.changes(client, library, cursor), outbound
            )
        except (RefusedError, ForbiddenError):
            continue
        except OF_THE_SERVER:
            raise
        except ImanageError as error:
            if error.status in {404, 405} and not cursor:
                note = "Found in use: the server does not know the call."
                server_facts.learn_from_use(server_id, "change_events", False, note)
            # Without the position, whatever happened since is found by checking.
            _stop_following(server_id, library_key, timedelta(0) if cursor else WITHOUT_EVENTS)
            return True
        _follow(server_id, library_key, found)
        return True
    _stop_following(server_id, library_key, WITHOUT_ASKERS if has_events else WITHOUT_EVENTS)
    return False


def _pollers(server_id: uuid.UUID, library_key: str) -> Sequence[uuid.UUID]:
    """Members who made links to documents of this library and are signed in."""
    makers = select(Link.member_id).where(
        Link.server_id == server_id, Link.library_key == library_key, Link.ended_at.is_(None)
    )
    return (
        session()
        .scalars(
            select(Connection.member_id)
            .where(
                Connection.server_id == server_id,
                Connection.state == "connected",
                Connection.member_id.in_(makers),
            )
            .order_by(Connection.refreshed_at.desc())
            .limit(3)
        )
        .all()
    )


def _follow(server_id: uuid.UUID, library_key: str, found: Changes) -> None:
    """The twins that the events are about are due now."""
    now = utcnow()
    with unit_of_work(relaxed_durability=True) as writing:
        row = writing.get_one(ChangeCursor, (server_id, library_key))
        row.cursor, row.poll_at = found.cursor, now if found.has_more else now + POLL_EVERY
        changed = [
            Link.server_id == server_id,
            Link.library_key == library_key,
            Link.ended_at.is_(None),
            Link.check_at > now,
        ]
        if not found.is_wide:
            changed.append(Link.number.in_(found.documents))
        if found.is_wide or found.documents:
            writing.execute(update(Link).where(*changed).values(check_at=now))


def _stop_following(server_id: uuid.UUID, library_key: str, again_after: timedelta) -> None:
    """No events are read until then: twins are checked within the hour, or at once where some were missed."""
    now = utcnow()
    with unit_of_work(relaxed_durability=True) as writing:
        row = writing.get_one(ChangeCursor, (server_id, library_key))
        row.cursor, row.poll_at = "", now + again_after
        writing.execute(
            update(Link)
            .where(
                Link.server_id == server_id,
                Link.library_key == library_key,
                Link.check_at > now + CHECK_EVERY,
            )
            .values(check_at=now + CHECK_EVERY if again_after else now)
        )
