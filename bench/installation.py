"""An installation to measure: practice iManage, database, store and worker in a temporary folder.

The practice iManage runs at low priority, so that it takes no CPU time from us, as if it were on another machine.

Rows are created from this process, through the same services as in the product.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from app import create_app
from bench.wire import Wire, in_front
from commands import migrations
from config import Settings
from imanage.types import Identity, TokenSet
from models import Matter, Participant, Server, ServerConcurrency, db, new_id, utcnow
from services.connections import tokens
from services.core.actor import SYSTEM, Actor
from services.core.unit_of_work import session, unit_of_work
from services.directory import people as directory_people
from services.operations import worker_heartbeats
from services.servers import transport
from services.servers.registry import MOST_AT_ONCE
from simulator import practice_password
from tests.support.stack import answers, free_port, installation_environment, until

REPOSITORY = Path(__file__).resolve().parents[1]
CLIENT_ID = "counterpart-practice"
LATENCY = 0.05
LARGE = 1 << 20
SETTLE_SECONDS = 1.0
PASSWORD = "a-passing-installation"
FLASK = (sys.executable, "-m", "flask", "--app", "app")
USERS = ("ALICE", "BRAM")


@dataclass
class Person:
    """A member with a sign-in to iManage."""

    actor: Actor
    user: str
    token: str


@dataclass
class Installation:
    """A running installation and how to reach it."""

    folder: Path
    wire: Wire
    url: str
    environment: dict[str, str]
    server_id: uuid.UUID
    people: tuple[Person, ...]
    sources: list[list[str]]
    source_folders: list[str]
    targets: list[str]
    large: dict[int, str]
    listing: str
    webdav: str
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def api(self) -> str:
        return f"{self.wire.plain}/work/api/v2/customers/4242"

    def control(self, method: str, path: str, body: object = None) -> Any:
        answer = requests.request(method, f"{self.wire.plain}/_simulator/{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()["data"] if answer.content else None

    def latency(self, seconds: float) -> None:
        self.control("PUT", "settings", {"latency": seconds})

    def matter(self) -> uuid.UUID:
        with unit_of_work() as writing:
            matter = Matter(id=new_id(), name="Bench", created_by_id=self.people[0].actor.id)
            writing.add(matter)
            writing.flush()
            for person in self.people:
                writing.add(Participant(matter_id=matter.id, member_id=person.actor.id, role="lead"))
        return matter.id

    def start_worker(
        self, *command: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        with (self.folder / "worker.log").open("ab") as said:
            process = subprocess.Popen(
                command or (*FLASK, "worker"),
                cwd=REPOSITORY,
                env={**self.environment, **(environment or {})},
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.workers.append(process)
        return process

    def until_workers_rest(self) -> None:
        """Wait until all workers that were started have written a heartbeat and read the empty queue."""

        def are_ready() -> bool:
            session().rollback()
            return worker_heartbeats.count_live() == len(self.workers)

        until(are_ready, "The workers")
        time.sleep(SETTLE_SECONDS)

    def stop_workers(self) -> None:
        for process in self.workers:
            if process.poll() is None:
                process.terminate()
        for process in self.workers:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.workers.clear()

    def worker_log(self) -> str:
        log = self.folder / "worker.log"
        return log.read_text(errors="replace") if log.exists() else ""


@contextmanager
def install_bench(
    folder: Path,
    *,
    folders: int = 0,
    documents: int = 0,
    large: Sequence[int] = (),
    web: bool = False,
    tls: bool = False,
    database_url: str | None = None,
) -> Iterator[Installation]:
    """Everything but the worker, which each row starts itself. On SQLite, unless there is a `database_url`.

    With `tls`, nginx is in front of the practice iManage and caches downloads.
    """
    root = Path(tempfile.mkdtemp(prefix="installation-", dir=folder))
    port, web_port, index = free_port(), free_port(), root / "index.json"
    arguments = ["--port", str(port), "--folders", str(folders), "--documents", str(documents)]
    arguments += ["--index", str(index), "--large", *map(str, large)]
    with ExitStack() as running:
        running.callback(_delete_large_files, root)
        practice = ["nice", "-n", "19", sys.executable, "-m", "bench.imanage", *arguments]
        running.enter_context(_process(practice, dict(os.environ), root))
        until(index.exists, "The practice iManage", 120)
        ids = json.loads(index.read_text())
        plain = f"http://127.0.0.1:{port}"
        wire = running.enter_context(in_front(root / "front", port)) if tls else Wire(plain, plain, None)
        environment = installation_environment(root, web_port, urlsplit(wire.tls).port or 443)
        if database_url is not None:
            environment["COUNTERPART_DATABASE_URL"] = database_url
        app = create_app(Settings.from_env(environment))
        with app.app_context():
            migrations.upgrade()
            server_id = _make_server(wire)
            people = tuple(_make_person(wire, server_id, user) for user in USERS)
            if web:
                running.enter_context(_process([*FLASK, "web"], environment, root))
                until(lambda: answers(f"http://127.0.0.1:{web_port}/health/live"), "Counterpart")
            found = Installation(
                folder=root,
                wire=wire,
                url=f"http://127.0.0.1:{web_port}",
                environment=environment,
                server_id=server_id,
                people=people,
                sources=ids["sources"],
                source_folders=ids["source_folders"],
                targets=ids["targets"],
                large={int(mib): id for mib, id in ids["large"].items()},
                listing=ids["listing"],
                webdav=ids["webdav"],
            )
            try:
                yield found
            finally:
                found.stop_workers()
                db.session.remove()
                db.engine.dispose()


def _delete_large_files(root: Path) -> None:
    """Delete large files now and the rest after the benchmark.

    Creating a file on ext4 skips inodes deleted within the last minutes: after some thousands of deletions it takes ten
    times as long.
    """
    for path in root.rglob("*"):
        if path.is_file() and path.stat().st_size >= LARGE:
            path.unlink()


@contextmanager
def _process(arguments: Sequence[str], environment: dict[str, str], folder: Path) -> Iterator[None]:
    with (folder / "said.log").open("ab") as said:
        process = subprocess.Popen(
            arguments, cwd=REPOSITORY, env=environment, stdout=said, stderr=subprocess.STDOUT
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def _make_server(wire: Wire) -> uuid.UUID:
    server_id = new_id()
    with unit_of_work() as writing:
        writing.add(
            Server(
                id=server_id,
                kind=transport.ON_PREMISE,
                name="Bench",
                name_key="bench",
                url=wire.tls,
                api_url=wire.tls,
                ca_pem=wire.certificate.read_text() if wire.certificate else None,
                client_id=CLIENT_ID,
                client_secret=transport.seal_secret(server_id, practice_password(CLIENT_ID)),
                is_enabled=True,
            )
        )
        # As a server that has been in use: rows measure transfers, not how a limit is found.
        writing.flush()
        writing.add(ServerConcurrency(server_id=server_id, at_once=MOST_AT_ONCE))
    return server_id


def _make_person(wire: Wire, server_id: uuid.UUID, user: str) -> Person:
    given = requests.post(
        f"{wire.plain}/auth/oauth2/token",
        data={
            "grant_type": "password",
            "username": user,
            "password": practice_password(user),
            "client_id": CLIENT_ID,
            "client_secret": practice_password(CLIENT_ID),
        },
        timeout=30,
    ).json()
    identity = Identity(
        user, user, None, "4242", f"{wire.tls}/work/api/v2/customers/4242", "Active", ("Active",), None
    )
    with unit_of_work() as writing:
        member = directory_people.create(
            SYSTEM, directory_people.NewMember(user, f"{user.lower()}@practice.example", password=PASSWORD)
        )
        token = TokenSet(given["access_token"], given.get("refresh_token"), utcnow() + timedelta(hours=1))
        tokens.store(member.id, writing.get_one(Server, server_id), token, identity)
        return Person(Actor(member.id, member.name, member.email), user, given["access_token"])
