"""A practice server whose dials are turned, what a run learns of it, and whether everything works with that."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

from copying.copy import fetch, send
from copying.imanage_endpoint import ImanageDestination, ImanageSource
from copying.outcome import announce
from copying.store_endpoint import StoreSource
from copying.values import TargetKind, target
from imanage import containers, documents
from imanage.addresses import AddressRules
from imanage.client import Client
from imanage.discovery import discover
from imanage.errors import ImanageError, ThrottledError
from imanage.guard import GuardedSession, Limits, build_session
from imanage.ids import VersionId
from imanage.learning_calls import Caller, Found, Sent
from imanage.learning_uploads import learn
from imanage.server_facts import ASSUMED, ServerFacts
from imanage.types import Endpoints
from simulator import App, Simulator, User, World
from simulator.settings import Settings
from simulator.values import Library
from storage import BlobStore

RULES = AddressRules(ports=frozenset(range(1, 65536)), allow_http=True, networks=(ip_network("127.0.0.0/8"),))
DOCUMENTS = 30
LONG_AGO = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)


USERS = [User("ALICE", "a", "Alice Ames", number=1)]
APPS = [App("app", "secret", ("http://127.0.0.1/auth/v0/oauth2/authorized",))]


def world(users: Iterable[User] = USERS, apps: Iterable[App] = APPS) -> World:
    made = World(users, apps)
    made.add_library(Library("Active"))
    workspace = made.add_workspace("Active", "Project Heron", at=LONG_AGO)
    folder = made.add_folder(workspace, "Closing set")
    made.add_folder(workspace, "Scratch")
    made.add_folder(workspace, "Tab", folder_type="tab")
    made.add_folder(workspace, "Searches", folder_type="search", query={"name": "Paper"})
    for number in range(DOCUMENTS):
        text = f"the text of number {number}".encode()
        made.add_document(folder, f"Paper {number}", "docx", text, at=LONG_AGO)
    return made


@dataclass
class Bench:
    """One practice server for many turns of its dials."""

    sim: Simulator
    store: BlobStore
    sent: list[Sent] = field(default_factory=list)

    def turn(self, **dials: Any) -> None:
        """All dials as usual, but for these."""
        self.sim.settings.update(Settings().as_dict() | dials)
        self.sent.clear()

    @property
    def endpoints(self) -> Endpoints:
        return Endpoints(self.sim.url, self.sim.url)

    @property
    def session(self) -> GuardedSession:
        return build_session(RULES, Limits(read_seconds=5))

    @property
    def scratch(self) -> str:
        return self.sim.world.folder("Scratch").id

    def token(self) -> str:
        return self.sim.token_for("ALICE")

    def learn(self, folder_id: str = "") -> Found:
        caller = Caller(self.session, self.endpoints, self.token(), self.sent.append)
        return learn(caller, self.endpoints, folder_id)

    def client(self, facts: ServerFacts) -> Client:
        session, token = self.session, self.token()
        identity = discover(session, self.endpoints, token, facts.token_header)
        return Client(session, identity.base_url, token, facts=facts)

    # -- everything that has to work ------------------------------------------------------------------------

    def work(self, facts: ServerFacts) -> dict[str, str]:
        """Do everything that members do; the name of each thing that failed, and why."""
        failed = {}
        steps: dict[str, Callable[[Client], None]] = {
            "browse": self._browse,
            "search": self._search,
            "get": self._get,
            "save new": lambda client: self._save(client, "new_document"),
            "save version": lambda client: self._save(client, "new_version"),
            "in place": lambda client: self._save(client, "replace"),
        }
        try:
            client = self.client(facts)
        except ImanageError as error:
            return {"check": str(error)}
        for name, step in steps.items():
            try:
                _patiently(step, client)
            except Exception as error:
                failed[name] = f"{type(error).__name__}: {error}"
        return failed

    def _browse(self, client: Client) -> None:
        found = containers.recent_workspaces(client)
        assert [each.name for each in found.items] == ["Project Heron"], found
        folders = containers.workspace_children(client, found.items[0].id).items
        closing = next(each for each in folders if each.name == "Closing set")
        names, offset = set(), 0
        while True:
            page = containers.folder_children(client, closing.id, offset)
            names |= {each.name for each in page.items}
            if page.next_offset is None:
                break
            offset = page.next_offset
        assert len(names) == DOCUMENTS or page.is_cut, (len(names), page)

    def _search(self, client: Client) -> None:
        found = documents.search(client, "Paper 7")
        assert "Paper 7" in {each.name for each in found.items}, found

    def _get(self, client: Client) -> None:
        document = self.sim.world.named("Paper 3")
        source = ImanageSource(client, VersionId.parse(document.id()))
        fetched = fetch(source, self.store, secrets.token_hex(8))
        assert fetched.sha256 == document.latest.content.sha256

    def _save(self, client: Client, kind: TargetKind) -> None:
        data = secrets.token_bytes(200)
        name = f"Saved {secrets.token_hex(4)}"
        with self.store.writer() as writer:
            writer.write(data)
            source = StoreSource(self.store, writer.publish().sha256, name, "docx")
        onto = self.sim.world.named("Paper 5")
        goal = target(kind, self.scratch if kind == "new_document" else onto.id())
        destination = ImanageDestination(client, goal)
        intent = announce(
            goal,
            source.describe(),
            operator="ALICE",
            now=datetime.now(UTC),
            baseline=destination.baseline(),
            mark=f"[{secrets.token_hex(4)}]",
        )
        receipt = send(source, destination, intent)
        stored = self.sim.world.document("Active", receipt.present.id.number)
        assert stored is not None
        kept = b"".join(stored.latest.content.blocks())
        assert hashlib.sha256(data).hexdigest() == hashlib.sha256(kept[: len(data)]).hexdigest()

    def clean(self) -> None:
        """Remove what saves and runs stored."""
        for document in list(self.sim.world.documents("Active")):
            if document.latest.name.startswith(("Saved ", "Counterpart learns ")):
                self.sim.world.remove_document(document)
            elif len(document.versions) > 1:
                self.sim.world.put_document(replace(document, versions=document.versions[:1]))


def _patiently(step: Callable[[Client], None], client: Client) -> None:
    """As the work queue does: what a busy server refused is done again later."""
    for _ in range(5):
        try:
            return step(client)
        except ThrottledError as error:
            time.sleep(error.wait_seconds or 1)
    return step(client)


def facts_of(found: Found) -> ServerFacts:
    return ASSUMED.with_values(found.values, frozenset(found.values))
