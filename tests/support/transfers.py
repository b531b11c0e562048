"""A matter, a member signed in to the practice iManage, and transfers run step by step."""

from __future__ import annotations

import hashlib
import uuid
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models import (
    Link,
    Matter,
    Participant,
    Server,
    TransferItem,
    Version,
    new_id,
    utcnow,
)
from services.core.actor import Actor
from services.core.runtime import runtime
from services.core.text.normalise import search_fold
from services.core.unit_of_work import session, unit_of_work
from services.execution import queue, steps
from services.execution.item_run import ItemRun, Limiter, Task
from services.matters import adding
from services.transfers import requests
from services.transfers.requests import GetCommand, SaveCommand, sources_of, target_of
from simulator import Simulator
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member
from tests.support.practice import practice_server, sign_in_to_imanage


@dataclass
class Desk:
    """A member at work: browser, matter, server."""

    browser: Browser
    actor: Actor
    matter_id: uuid.UUID
    server: Server
    practice: Simulator

    def add_document(self, name: str, content: bytes) -> uuid.UUID:
        with runtime().blobs.writer() as writer:
            writer.write(content)
            blob = writer.publish()
        with unit_of_work() as writing:
            added = adding.add(
                writing, self.matter_id, self.actor.id, name, blob.sha256, blob.size, origin="upload"
            )
        return added.document_id


def make_desk(browser: Browser, practice: Simulator, user: str = "ALICE") -> Desk:
    member = make_member(f"Associate {user.title()}", email=f"{user.lower()}@practice.example")
    server = practice_server(practice)
    matter_id = make_matter(member.id)
    browser.sign_in(member)
    sign_in_to_imanage(browser, server.id, user)
    return Desk(browser, actor_of(member), matter_id, server, practice)


def make_matter(lead_id: uuid.UUID, name: str = "Project Heron", **others: uuid.UUID) -> uuid.UUID:
    """A matter with its lead; further people as `role=member id`."""
    with unit_of_work() as writing:
        matter = Matter(
            id=new_id(),
            name=name,
            client_number="10042",
            matter_number="0007",
            search_key=search_fold(f"{name} 10042 0007"),
            created_by_id=lead_id,
        )
        writing.add(matter)
        writing.flush()
        for role, member_id in {"lead": lead_id, **others}.items():
            writing.add(Participant(matter_id=matter.id, member_id=member_id, role=role))
    return matter.id


def get(desk: Desk, *sources: str, document_id: uuid.UUID | None = None) -> uuid.UUID:
    """Start a get; the transfer's id."""
    command = GetCommand(uuid.uuid4(), desk.matter_id, desk.server.id, sources_of(sources), document_id)
    return requests.start_get(desk.actor, command)


def save(desk: Desk, document_id: uuid.UUID, target: str, target_id: str, note: str = "") -> uuid.UUID:
    """Start a save; the transfer's id."""
    command = SaveCommand(uuid.uuid4(), document_id, desk.server.id, target_of(target, target_id), "", note)
    return requests.start_save(desk.actor, command)


def stored(desk: Desk, folder_name: str) -> list[str]:
    """The SHA-256 of everything that a folder of the practice iManage holds."""
    folder = desk.practice.world.folder(folder_name, "Active")
    documents_there = desk.practice.world.documents_in(folder)
    return [version.content.sha256 for document in documents_there for version in document.versions]


def drafts_id(desk: Desk) -> str:
    return desk.practice.world.folder("Drafts", "Active").id


def items_of(transfer_id: uuid.UUID) -> list[TransferItem]:
    session().rollback()
    rows = session().scalars(
        select(TransferItem).where(TransferItem.transfer_id == transfer_id).order_by(TransferItem.position)
    )
    return list(rows)


class Unlimited:
    """No limit: one item is carried out at a time."""

    def slot(self, _task: Task) -> AbstractContextManager[None]:
        return nullcontext()

    announcement = slot


def begin(item_id: uuid.UUID, limiter: Limiter | None = None) -> tuple[ItemRun, str]:
    """Claim one item as a worker does, even from another one: its run, and its first step."""
    ((run, step),) = _claimed(item_id, limiter)
    return run, step


def _claimed(item_id: uuid.UUID, limiter: Limiter | None = None) -> list[tuple[ItemRun, str]]:
    free(item_id)
    return steps.begin(queue.claim("this-test", [item_id]), limiter or Unlimited())


def free(item_id: uuid.UUID) -> None:
    """As other workers do once the heartbeats of the one that holds it have stopped."""
    with unit_of_work() as writing:
        item = writing.get(TransferItem, item_id)
        if item is not None:
            item.worker_id = None


def carry_out(item_id: uuid.UUID) -> None:
    """What a worker does, in this thread, until the item is over or waits. Nothing where it is over already."""
    for run, step in _claimed(item_id):
        steps.carry_out(run, step)
    session().rollback()


def carry(item_id: uuid.UUID) -> TransferItem:
    """The same; the row afterwards."""
    carry_out(item_id)
    return session().get_one(TransferItem, item_id)


class Crash(BaseException):
    """The end of a worker: nothing of ours catches it."""


def crash_at(item_id: uuid.UUID, owner: Any, name: str) -> TransferItem:
    """Carry an item out until the named function (or entry of a mapping) is called; the row that is left."""

    def die(*_arguments: object, **_named: object) -> None:
        raise Crash

    with pytest.MonkeyPatch.context() as patched, pytest.raises(Crash):
        if isinstance(owner, dict):
            patched.setitem(owner, name, die)
        else:
            patched.setattr(owner, name, die)
        carry_out(item_id)
    free(item_id)
    return session().get_one(TransferItem, item_id)


def carry_all(transfer_id: uuid.UUID) -> list[TransferItem]:
    return [carry(item.id) for item in items_of(transfer_id)]


def got_document(desk: Desk, name: str = "SPA – Project Heron") -> tuple[uuid.UUID, str]:
    """A document here with its twin there, by id."""
    twin = desk.practice.world.named(name)
    (item,) = carry_all(get(desk, twin.id()))
    assert item.document_id is not None
    return item.document_id, twin.id()


def add_version(desk: Desk, document_id: uuid.UUID, content: bytes) -> None:
    with runtime().blobs.writer() as writer:
        writer.write(content)
        blob = writer.publish()
    with unit_of_work() as writing:
        adding.add(
            writing,
            desk.matter_id,
            desk.actor.id,
            "SPA.docx",
            blob.sha256,
            blob.size,
            document_id=document_id,
            origin="upload",
        )


def skip_wait(item_id: uuid.UUID, *, sent_long_ago: bool = False) -> None:
    """As if the time that the item waits for had passed."""
    with unit_of_work() as writing:
        item = writing.get_one(TransferItem, item_id)
        item.wait_until = None
        if sent_long_ago and item.sent_at is not None:
            item.sent_at = utcnow() - timedelta(minutes=2)


def links() -> list[Link]:
    session().rollback()
    return list(session().scalars(select(Link).order_by(Link.created_at)))


def versions() -> list[Version]:
    session().rollback()
    return list(session().scalars(select(Version).order_by(Version.created_at)))


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
