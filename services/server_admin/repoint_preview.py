"""The preview of a re-point: the libraries of both servers, and samples read on the new one as the admin."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from imanage import containers, documents
from imanage.client import Client
from imanage.errors import ForbiddenError, ImanageError, NotFoundError
from imanage.ids import VersionId
from imanage.types import Document as RemoteDocument
from models import Link, Repoint, Server, Version, new_id
from services.access.server_access import require_use, use_denial
from services.connections import tokens
from services.core import audit, bulkhead
from services.core.actor import Actor
from services.core.errors import ConflictError, InvalidError
from services.core.unit_of_work import release, session, unit_of_work
from services.guidance.access import ACCESS_ADVICE
from services.guidance.imanage_errors import remote_refusal
from services.guidance.refusals import refusal
from services.picker.browse import call_imanage
from services.server_admin import repoint_links
from services.server_admin.repoint import AGREES, DIFFERS, FORBIDDEN, MISSING, UNKNOWN, unfinished
from services.servers import transport
from services.servers.registry import require_server

SAMPLES = 24
SECONDS = 20.0


@dataclass(frozen=True)
class LibraryRow:
    """A library with links: `suggested` is the library of the same name on the new server, or ""."""

    key: str
    name: str
    links: int
    suggested: str


@dataclass(frozen=True)
class PlanView:
    """What a re-point to this server asks for. `denied`: why the admin cannot use it yet, and then nothing else."""

    target_id: uuid.UUID
    target: str
    denied: str = ""
    libraries: tuple[LibraryRow, ...] = ()
    choices: tuple[str, ...] = ()
    running: tuple[str, ...] = ()
    running_count: int = 0
    is_restricted: bool = False


@dataclass(frozen=True)
class PreviewCommand:
    """`libraries`: by folded library of the source, the target's; those left out stay where they are."""

    target_id: uuid.UUID
    libraries: Mapping[str, str]
    copies_restriction: bool = False


@dataclass(frozen=True)
class _Sample:
    """A linked version, by its id on the target, with its checksum and size here."""

    id: VersionId
    sha256: str
    size: int


def targets(actor: Actor, source_id: uuid.UUID) -> tuple[tuple[uuid.UUID, str], ...]:
    """The servers that the links of this one can move to: id and name."""
    source = require_server(actor, source_id)
    if source.is_practice:
        raise refusal(ConflictError, "repoint.practice")
    rows = session().execute(
        select(Server.id, Server.name)
        .where(Server.id != source_id, Server.is_practice.is_(False))
        .order_by(Server.name_key)
    )
    return tuple((id, name) for id, name in rows)


def plan(actor: Actor, source_id: uuid.UUID, target_id: uuid.UUID) -> PlanView:
    """The libraries on both sides. One remote call, as the admin. Raises SignInNeededError and RemoteRefusedError."""
    source, target = _both(actor, source_id, target_id)
    if denial := use_denial(actor.id, target):
        advice = ACCESS_ADVICE[denial.code]
        return PlanView(target.id, target.name, denied=f"{advice.sentence} {advice.next_step}")
    name, is_restricted = target.name, source.is_restricted
    rows = repoint_links.library_counts(source_id)
    running, running_count = unfinished(actor, source_id, target_id)
    choices = tuple(each.id for each in call_imanage(actor, target_id, containers.libraries))
    by_key = {each.casefold(): each for each in choices}
    return PlanView(
        target_id=target_id,
        target=name,
        libraries=tuple(LibraryRow(key, old, count, by_key.get(key, "")) for key, old, count in rows),
        choices=choices,
        running=running,
        running_count=running_count,
        is_restricted=is_restricted,
    )


def start(actor: Actor, source_id: uuid.UUID, command: PreviewCommand) -> uuid.UUID:
    """Read the samples on the target as the admin, and store the preview; returns its id.

    At most SAMPLES calls, in at most about SECONDS. Raises InvalidError, SignInNeededError and RemoteRefusedError.
    """
    source, target = _both(actor, source_id, command.target_id)
    known = {key for key, _, _ in repoint_links.library_counts(source_id)}
    libraries = {key: name for key, name in command.libraries.items() if key in known and name}
    _check_mapping(libraries)
    copies = command.copies_restriction and source.is_restricted
    found = _read(actor, target, _pick(source_id, command.target_id, libraries))
    with unit_of_work() as writing:
        source, target = _both(actor, source_id, command.target_id)
        count = repoint_links.count(repoint_links.movable(source_id, command.target_id, libraries))
        row = Repoint(
            id=new_id(),
            source_id=source_id,
            target_id=command.target_id,
            libraries=libraries,
            samples=[{"id": str(id), "outcome": outcome} for id, outcome in found],
            link_count=count,
            copies_restriction=copies,
            previewed_by=actor.name,
        )
        writing.add(row)
        audit.record(
            actor,
            "server.repoint_previewed",
            source.name,
            subject_id=source_id,
            server_id=source_id,
            to=target.name,
            links=count,
            samples=dict(Counter(outcome for _, outcome in found)),
        )
        return row.id


def _both(actor: Actor, source_id: uuid.UUID, target_id: uuid.UUID) -> tuple[Server, Server]:
    source, target = require_server(actor, source_id), require_server(actor, target_id)
    if source.is_practice or target.is_practice:
        raise refusal(ConflictError, "repoint.practice")
    if source_id == target_id:
        raise refusal(ConflictError, "repoint.same")
    return source, target


def _check_mapping(libraries: Mapping[str, str]) -> None:
    """Two libraries with the same document number must not become one document."""
    if not libraries:
        raise InvalidError({"form": "Choose the new library of at least one library."})
    counts = Counter(name.casefold() for name in libraries.values())
    if twice := sorted({name for name in libraries.values() if counts[name.casefold()] > 1}):
        raise InvalidError(
            {"form": f"Choose a different library for each. Chosen more than once: {', '.join(twice)}."}
        )


def _pick(source_id: uuid.UUID, target_id: uuid.UUID, libraries: Mapping[str, str]) -> list[_Sample]:
    """Some versions of each library by chance; what small libraries do not need, larger ones get."""
    where = repoint_links.movable(source_id, target_id, libraries)
    counts = sorted(repoint_links.library_counts(source_id, where), key=lambda row: -row[2])[:SAMPLES]
    picked: list[_Sample] = []
    for left, (key, _, _) in zip(range(len(counts), 0, -1), reversed(counts), strict=True):
        distinct = (
            select(Link.number, Link.version, func.max(Link.checksum), func.max(Version.size))
            .join(Version, Version.id == Link.version_id)
            .where(where, Link.library_key == key)
            .group_by(Link.number, Link.version)
            .order_by(func.random())
            .limit((SAMPLES - len(picked)) // left)
        )
        picked += [
            _Sample(VersionId(libraries[key], number, version), checksum, size)
            for number, version, checksum, size in session().execute(distinct)
        ]
    return picked


def _read(actor: Actor, target: Server, picked: Sequence[_Sample]) -> list[tuple[VersionId, str]]:
    """What each sample showed; those that were not read in time are left out."""
    target = require_use(actor.id, target.id)
    target_id, label, outbound = target.id, target.name, transport.outbound(target, for_page=True)
    cache = tokens.AccessCache()
    deadline = time.monotonic() + SECONDS
    found: list[tuple[VersionId, str]] = []
    release()
    with bulkhead.slot(actor.id):
        for sample in picked:
            if found and time.monotonic() > deadline:
                break
            try:
                there = tokens.with_client(actor.id, target_id, _profile_of(sample.id), outbound, cache=cache)
            except NotFoundError:
                outcome = MISSING
            except ForbiddenError:
                outcome = FORBIDDEN
            except ImanageError as error:
                raise remote_refusal(error, label) from error
            else:
                outcome = _compare(sample, there)
            found.append((sample.id, outcome))
    return found


def _profile_of(id: VersionId) -> Callable[[Client], RemoteDocument]:
    return lambda client: documents.profile(client, id)


def _compare(sample: _Sample, there: RemoteDocument) -> str:
    """A profile of another document or version is a difference, too."""
    if (there.id.number, there.version) != (sample.id.number, sample.id.version):
        return DIFFERS
    if there.checksum and sample.sha256:
        return AGREES if there.checksum == sample.sha256 else DIFFERS
    return DIFFERS if there.size is not None and there.size != sample.size else UNKNOWN
