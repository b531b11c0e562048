"""Random histories of a matter: what a guest sees is the same in three answers, and what a simple model says.

The answers: the services', the pages of the guest's own session, and the pages of a lead who views as that guest.
"""

from __future__ import annotations

import io
import os
import random
import re
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field

import pytest
from flask import Flask

from models import Member, Participant
from services.auth import sessions
from services.core.actor import Actor
from services.core.errors import NotFoundError
from services.core.unit_of_work import session, unit_of_work
from services.matters import (
    audiences,
    documents,
    exposure,
    participants,
    recycle_bin,
    versions,
    viewing,
)
from tests.support.matters import current_version, open_matter
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member

BATCHES = 20 if os.environ.get("FAULTS") == "all" else 2
BATCH = 100
"""Histories of one lead: no more than they may add files for in ten minutes."""
STEPS = 9
Seen = dict[str, tuple[int, list[int]]]
"""By the name of each document: the current version and all versions, newest first."""


@dataclass
class Version:
    id: uuid.UUID
    is_held: bool


@dataclass
class Document:
    """The model. `shown`: the index of what guests last had as the current version."""

    id: uuid.UUID
    name: str
    versions: list[Version]
    current: int = 0
    shown: int | None = None
    audience: frozenset[uuid.UUID] | None = None
    is_binned: bool = False

    def settle(self, released: Collection[int] = ()) -> None:
        visible = [at for at, each in enumerate(self.versions) if not each.is_held]
        if self.current in visible:
            self.shown = self.current
            return
        known = [at for at in visible if at == self.shown or at in released]
        self.shown = max(known or visible, default=None)

    def seen(self, organisation_id: uuid.UUID | None) -> tuple[int, list[int]] | None:
        if (
            self.is_binned
            or self.shown is None
            or (self.audience is not None and organisation_id not in self.audience)
        ):
            return None
        numbers = [at + 1 for at, each in enumerate(self.versions) if not each.is_held]
        return self.shown + 1, numbers[::-1]


@dataclass
class Desk:
    lead: Actor
    lead_browser: Browser
    guests: list[Member]
    browsers: dict[uuid.UUID, Browser]


@dataclass
class History:
    """A new matter in which random things happen."""

    desk: Desk
    random: random.Random
    matter_id: uuid.UUID = field(init=False)
    there: dict[uuid.UUID, str] = field(default_factory=dict)
    documents: list[Document] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.matter_id = open_matter(self.desk.lead)

    def run(self) -> None:
        steps = [self.add, self.version, self.change, self.change, self.audience, self.people, self.current]
        steps.append(self.bin)
        for guest in self.desk.guests[:2]:
            self.join(guest)
        self.add()
        for _ in range(STEPS):
            self.random.choice(steps)()

    def add(self) -> None:
        name, is_held = f"{len(self.documents)}.txt", self.random.random() < 0.4
        stream = io.BytesIO(uuid.uuid4().bytes)
        id = documents.add(self.desk.lead, self.matter_id, name, stream, is_held=is_held)
        made = Document(id, name, [Version(current_version(id), is_held)])
        made.settle()
        self.documents.append(made)

    def here(self) -> list[Document]:
        """The documents that are not in the bin; there is at least one."""
        if all(each.is_binned for each in self.documents):
            self.add()
        return [each for each in self.documents if not each.is_binned]

    def bin(self) -> None:
        """Move a document to the bin, or restore one."""
        binned = [each for each in self.documents if each.is_binned]
        if binned and self.random.random() < 0.6:
            document = self.random.choice(binned)
            recycle_bin.restore_document(self.desk.lead, document.id)
            document.is_binned = False
        else:
            document = self.random.choice(self.here())
            recycle_bin.remove_document(self.desk.lead, document.id)
            document.is_binned = True

    def version(self) -> None:
        document, is_held = self.random.choice(self.here()), self.random.random() < 0.5
        stream = io.BytesIO(uuid.uuid4().bytes)
        versions.add(self.desk.lead, document.id, document.name, stream, "", is_held=is_held)
        document.versions.append(Version(current_version(document.id), is_held))
        document.current = len(document.versions) - 1
        document.settle()

    def change(self) -> None:
        """Hold or release some versions, perhaps of several documents."""
        is_held = self.random.random() < 0.5
        may = [(d, v) for d in self.here() for v in d.versions if v.is_held != is_held]
        chosen = self.random.sample(may, min(len(may), self.random.randint(1, 3)))
        if not chosen:
            return
        do = exposure.hold if is_held else exposure.release
        assert do(self.desk.lead, self.matter_id, [v.id for _, v in chosen]) == len(chosen)
        for _, version in chosen:
            version.is_held = is_held
        for document in self.documents:
            released = {document.versions.index(v) for d, v in chosen if d is document and not is_held}
            if any(d is document for d, _ in chosen):
                document.settle(released)

    def current(self) -> None:
        document = self.random.choice(self.here())
        at = self.random.randrange(len(document.versions))
        versions.make_current(self.desk.lead, document.versions[at].id)
        document.current = at
        document.settle()

    def audience(self) -> None:
        document = self.random.choice(self.here())
        organisations = {g.organisation_id for g in self.desk.guests if g.id in self.there} - {None}
        kind = self.random.choice(["everybody", "members", "organisations"])
        if kind == "organisations" and not organisations:
            return
        chosen = self.random.sample(sorted(map(str, organisations)), 1) if organisations else []
        wanted = [uuid.UUID(each) for each in chosen] if kind == "organisations" else []
        audiences.change(self.desk.lead, self.matter_id, [document.id], kind, wanted)
        document.audience = None if kind == "everybody" else frozenset(wanted)

    def join(self, guest: Member) -> None:
        role = self.random.choice(["editor", "viewer"])
        participants.add(self.desk.lead, self.matter_id, guest.id, role)
        self.there[guest.id] = role

    def people(self) -> None:
        guest = self.random.choice(self.desk.guests)
        if guest.id not in self.there:
            self.join(guest)
        elif self.random.random() < 0.5:
            participants.remove(self.desk.lead, self.matter_id, guest.id)
            del self.there[guest.id]
        else:
            role = "viewer" if self.there[guest.id] == "editor" else "editor"
            participants.change_role(self.desk.lead, self.matter_id, guest.id, role)
            self.there[guest.id] = role

    def expected(self, guest: Member) -> Seen | None:
        if guest.id not in self.there:
            return None
        found = {each.name: each.seen(guest.organisation_id) for each in self.documents}
        return {name: seen for name, seen in found.items() if seen is not None}

    def by_services(self, guest: Actor) -> Seen | None:
        found: Seen = {}
        for document in self.documents:
            try:
                current = documents.find(guest, document.id).number
            except NotFoundError:
                assert not versions.history(guest, document.id).rows
                continue
            found[document.name] = (
                current,
                [row.number for row in versions.history(guest, document.id).rows],
            )
        listed = {row.name: row.number for row in documents.of_matter(guest, self.matter_id).rows}
        assert listed == {name: current for name, (current, _) in found.items()}
        if session().get(Participant, (self.matter_id, guest.id)) is None:
            assert not found
            return None
        return found

    def by_pages(self, browser: Browser) -> Seen | None:
        answer = browser.get(f"/matters/{self.matter_id}")
        if answer.status_code == 404:
            for document in self.documents:
                assert browser.get(f"/documents/{document.id}").status_code == 404
            return None
        listed = dict(
            re.findall(r'href="/documents/([0-9a-f-]+)">.*?class="cp-num">(\d+)<', answer.text, re.DOTALL)
        )
        assert f'Documents <span class="cp-count">{len(listed)}<' in answer.text
        found: Seen = {}
        for document in self.documents:
            page = browser.get(f"/documents/{document.id}")
            assert (page.status_code == 200) == (str(document.id) in listed)
            numbers = {str(each.id): at + 1 for at, each in enumerate(document.versions)}
            shown: list[int] = []
            if page.status_code == 200:
                rows = page.text[page.text.index("<table") :]
                links = dict.fromkeys(re.findall(r"/versions/([0-9a-f-]+)/download", rows))
                shown = [numbers[each] for each in links]
                found[document.name] = (int(listed[str(document.id)]), shown)
            version_id, number = self.random.choice(list(numbers.items()))
            answer = browser.get(f"/versions/{version_id}/download")
            assert (answer.status_code == 200) == (number in shown)
        return found


@pytest.fixture
def desk(app: Flask, database: None) -> Desk:
    guests = [
        make_member("Gil", organisation="Bank", is_guest=True),
        make_member("Kim", organisation="Buyer", is_guest=True),
        make_member("Lou", organisation="Bank", is_guest=True),
        make_member("Nan", is_guest=True),
    ]
    lead = make_member("Lea")
    with unit_of_work():
        token = sessions.begin(lead.id)
    actor = sessions.resume(token)
    assert actor is not None
    browser = Browser(app)
    with browser.client.session_transaction() as cookie:
        cookie["session_token"] = token
    return Desk(actor, browser, guests, {each.id: Browser(app).sign_in(each) for each in guests})


@pytest.mark.parametrize("batch", range(BATCHES))
def test_three_answers_agree_after_every_history(desk: Desk, batch: int) -> None:
    actors = {each.id: actor_of(each) for each in desk.guests}
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        history = History(desk, random.Random(seed))
        history.run()
        guest = history.random.choice(desk.guests)
        expected = history.expected(guest)
        assert history.by_services(actors[guest.id]) == expected, seed
        assert history.by_pages(desk.browsers[guest.id]) == expected, seed
        if expected is not None:
            viewing.start(desk.lead, history.matter_id, guest.id)
            assert history.by_pages(desk.lead_browser) == expected, seed
            with unit_of_work():
                assert desk.lead.session_id is not None
                sessions.view_as(desk.lead.session_id, None, None)
