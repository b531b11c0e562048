"""A practice iManage with one folder and a few documents, a member signed in to it, and a store of ours."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
import requests

from copying.copy import send
from copying.imanage_endpoint import ImanageDestination, ImanageSource
from copying.outcome import announce
from copying.store_endpoint import StoreSource
from copying.values import Intent, Receipt, Resolution, TargetKind, target
from imanage.addresses import AddressRules
from imanage.client import Client
from imanage.discovery import discover
from imanage.guard import Limits, build_session
from imanage.ids import VersionId
from imanage.types import Endpoints
from simulator import App, Simulator, User, World
from simulator.contents import Generated
from simulator.values import Container, Document, Library
from storage import BlobStore, open_store

LARGE = 5 * (1 << 20) + 321
RULES = AddressRules(ports=frozenset(range(1, 65536)), allow_http=True, networks=(ip_network("127.0.0.0/8"),))


def practice_world() -> World:
    world = World(
        users=[User("ALICE", "a", "Alice Ames", number=1), User("CAROL", "c", "Carol Cho", number=2)],
        apps=[App("app", "secret", ("http://127.0.0.1/auth/v0/oauth2/authorized",))],
    )
    world.add_library(Library("Active"))
    workspace = world.add_workspace("Active", "Project Heron", at=datetime(2026, 1, 1, tzinfo=UTC))
    folder = world.add_folder(workspace, "Closing set")
    long_ago = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)
    world.add_document(folder, "Deed", "docx", b"the deed as it was", at=long_ago)
    world.add_document(folder, "Plans", "pdf", Generated(LARGE, 7), at=long_ago)
    return world


@dataclass
class Desk:
    """What a test needs: the practice server, the signed-in client, our store."""

    sim: Simulator
    store: BlobStore

    def client(self) -> Client:
        """A client as a new process would build it."""
        session = build_session(RULES, Limits(read_seconds=2))
        form = {
            "grant_type": "password",
            "username": "ALICE",
            "password": "a",
            "client_id": "app",
            "client_secret": "secret",
        }
        token = requests.post(f"{self.sim.url}/auth/oauth2/token", data=form, timeout=5).json()[
            "access_token"
        ]
        identity = discover(session, Endpoints(self.sim.url, self.sim.url), token)
        return Client(session, identity.base_url, token)

    def source(self, name: str) -> ImanageSource:
        return ImanageSource(self.client(), VersionId.parse(self.document(name).id()))

    def document(self, name: str) -> Document:
        return self.sim.world.named(name)

    @property
    def folder(self) -> Container:
        return self.sim.world.folder("Closing set")

    def blob(self, data: bytes, name: str = "Deed") -> StoreSource:
        with self.store.writer() as writer:
            writer.write(data)
            return StoreSource(self.store, writer.publish().sha256, name, "docx")

    def calls(self, method: str, path: str) -> list[object]:
        return [each for each in self.sim.requests if each.method == method and path in each.path]


@dataclass
class Save:
    """One save of ours, from its announcement on."""

    desk: Desk
    source: StoreSource
    destination: ImanageDestination
    intent: Intent

    @classmethod
    def of(
        cls, desk: Desk, kind: TargetKind, data: bytes, mark: str | None = None, *, needs_mark: bool = False
    ) -> "Save":
        goal = target(kind, desk.folder.id if kind == "new_document" else desk.document("Deed").id())
        source = desk.blob(data, "New deed" if kind == "new_document" else "Deed")
        destination = ImanageDestination(desk.client(), goal)
        intent = announce(
            goal,
            source.describe(),
            operator="ALICE",
            now=datetime.now(UTC),
            baseline=destination.baseline(),
            mark=mark,
            needs_mark=needs_mark,
        )
        return cls(desk, source, destination, intent)

    def go(self, **how: object) -> Receipt:
        return send(self.source, self.destination, self.intent, **how)

    def resolve(
        self, later: timedelta = timedelta(minutes=1), claimed: tuple[VersionId, ...] = ()
    ) -> Resolution:
        """By another process, after a while: nothing of the first one's memory helps."""
        destination = ImanageDestination(self.desk.client(), self.intent.target)
        intent = Intent.from_record(self.intent.record())
        return destination.resolve(intent, now=datetime.now(UTC) + later, last_sent_at=None, claimed=claimed)

    def times_stored(self) -> int:
        """How often iManage holds our bytes."""
        documents = self.desk.sim.world.documents("Active")
        versions = [version for each in documents for version in each.versions]
        return [version.content.sha256 for version in versions].count(self.intent.sha256)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Simulator(world=practice_world(), port=0, data_dir=tmp_path / "imanage") as sim:
        yield Desk(sim, open_store(f"file://{tmp_path / 'blobs'}"))
