"""An installation for browser tests: web, worker and practice iManage as processes in a temporary folder.

`python -m tests.support.stack URL SECRET` makes the practice firm in the installation that the environment names.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import requests

from simulator import practice_password
from tests.support.forks import Forked
from tests.support.repository import ROOT

REPOSITORY = ROOT
CLIENT_ID = "counterpart-practice"
CONTROL_TOKEN = "turn-the-dials"
START_SECONDS = 60.0
STOP_SECONDS = 15.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(true: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
    """Wait until `true()`. Fails with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"{what} did not come within {seconds:.0f} seconds."
        time.sleep(0.05)


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).status_code == 200
    except requests.RequestException:
        return False


@dataclass
class Process:
    """One command in its own session; its output goes to a file. One that is forked starts without imports."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    running: subprocess.Popen[bytes] | Forked | None = None
    is_forked: bool = False

    def start(self) -> None:
        start: Any = Forked if self.is_forked else partial(subprocess.Popen, cwd=REPOSITORY)
        with self.log.open("ab") as said:
            self.running = start(
                self.command,
                env=self.environment,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send the signal and wait; killed after `STOP_SECONDS`. Returns its exit status."""
        assert self.running is not None
        if self.running.poll() is None:
            self.running.send_signal(number)
        try:
            return self.running.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.running.pid, signal.SIGKILL)
            self.running.wait()
            raise AssertionError(f"{self.name} did not stop: {self.said()[-2000:]}") from None

    def kill(self) -> None:
        """Without any chance to clean up."""
        assert self.running is not None
        self.running.kill()
        self.running.wait()

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


@dataclass(frozen=True)
class Practice:
    """The practice iManage from outside: its control endpoints, and calls to its API as one of its users."""

    url: str

    def control(self, method: str, path: str, body: object = None) -> Any:
        answer = requests.request(
            method,
            f"{self.url}/_simulator/{path}",
            json=body,
            headers={"X-Control-Token": CONTROL_TOKEN},
            timeout=10,
        )
        assert answer.ok, answer.text
        return answer.json()["data"] if answer.content else None

    def fault(self, kind: str, **more: object) -> None:
        self.control("POST", "faults", {"kind": kind, **more})

    def clear_faults(self) -> None:
        self.control("DELETE", "faults")

    def calls(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.control("GET", "requests")
        return found

    def as_user(self, user: str) -> requests.Session:
        """A session that iManage takes for this user: somebody who works there and not here."""
        answer = requests.post(
            f"{self.url}/auth/oauth2/token",
            data={
                "grant_type": "password",
                "username": user,
                "password": practice_password(user),
                "client_id": CLIENT_ID,
                "client_secret": practice_password(CLIENT_ID),
            },
            timeout=10,
        )
        session = requests.Session()
        session.headers["X-Auth-Token"] = answer.json()["access_token"]
        return session

    def library(self, name: str = "Active") -> str:
        return f"{self.url}/work/api/v2/customers/4242/libraries/{name}"

    def versions(self, user: str, document: str) -> list[dict[str, Any]]:
        """All versions of a document such as `Active!1645.1`, as iManage lists them."""
        with self.as_user(user) as session:
            answer = session.get(f"{self.library()}/documents/{document}/versions", timeout=10)
        assert answer.ok, answer.text
        found: list[dict[str, Any]] = answer.json()["data"]
        return found

    def documents(self, user: str, folder_id: str) -> list[dict[str, Any]]:
        """All documents of a folder, page by page, as iManage lists them."""
        found: list[dict[str, Any]] = []
        with self.as_user(user) as session:
            while True:
                answer = session.get(
                    f"{self.library()}/folders/{folder_id}/documents",
                    params={"limit": "500", "offset": str(len(found))},
                    timeout=30,
                )
                assert answer.ok, answer.text
                page: list[dict[str, Any]] = answer.json()["data"]
                if not page:
                    return found
                found += page

    def add_version(self, user: str, document: str, content: bytes) -> None:
        """Add a version in iManage itself."""
        with self.as_user(user) as session:
            parts: dict[str, Any] = {
                "profile": (None, '{"doc_profile": {"comment": "Made in iManage"}}', "application/json"),
                "file": ("new.docx", content),
            }
            url = f"{self.library()}/documents/{document}/versions"
            answer = session.post(url, files=parts, timeout=10)
        assert answer.ok, answer.text


@dataclass
class Stack:
    """A running installation: its folder and URL, its practice iManage, its processes, and cookies by email."""

    folder: Path
    url: str
    practice: Practice
    environment: dict[str, str]
    processes: dict[str, Process] = field(default_factory=dict)
    cookies: dict[str, Any] = field(default_factory=dict)

    def run(self, name: str, *command: str) -> Process:
        log = self.folder / f"{name}.log"
        process = Process(name, [sys.executable, *command], self.environment, log, is_forked=True)
        self.processes[name] = process
        process.start()
        return process

    def start_worker(self) -> None:
        self.run("worker", "-m", "flask", "--app", "app", "worker")

    def kill_worker(self) -> None:
        self.processes.pop("worker").kill()

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of the installation's database, read while its processes write."""
        address = f"file:{self.folder / 'data' / 'counterpart.sqlite'}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=10)) as connection:
            return connection.execute(query, values).fetchall()

    def stop(self) -> None:
        for process in self.processes.values():
            process.stop()


def inherited() -> dict[str, str]:
    """This process's environment without settings of Counterpart."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COUNTERPART_")}


def installation_environment(folder: Path, port: int, imanage_port: int) -> dict[str, str]:
    """The environment of an installation in this folder, at this port, which may reach an iManage on this machine."""
    return inherited() | {
        "COUNTERPART_DATA_DIR": str(folder / "data"),
        "COUNTERPART_PORT": str(port),
        "COUNTERPART_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "COUNTERPART_IMANAGE_ALLOW_HTTP": "1",
        "COUNTERPART_IMANAGE_NETWORKS": "127.0.0.0/8",
        "COUNTERPART_CHECK_MINUTES": "0",
        "COUNTERPART_IMANAGE_PORTS": f"443,{imanage_port}",
        "PYTHONUNBUFFERED": "1",
    }


def demo(folder: Path, port: int, practice_port: int, **settings: str) -> Process:
    """What `make demo` runs, on these ports and in this folder; `settings` are more variables."""
    command = [sys.executable, *("-m", "flask", "--app", "app", "demo", "run")]
    command += ["--practice-port", str(practice_port)]
    environment = installation_environment(folder, port, practice_port) | settings
    return Process("demo", command, environment, folder / "demo.log")


@contextmanager
def installation(
    folder: Path, *, with_firm: bool, practice_port: int = 0, settings: Mapping[str, str] | None = None
) -> Iterator[Stack]:
    """Web, worker and practice iManage: with the practice firm, or empty as after `make run`.

    `settings` are more variables.
    """
    port, practice_port = free_port(), practice_port or free_port()
    practice = Practice(f"http://127.0.0.1:{practice_port}")
    stack = Stack(
        folder,
        f"http://127.0.0.1:{port}",
        practice,
        installation_environment(folder, port, practice_port) | dict(settings or {}),
    )
    try:
        told = folder / "practice.json"
        told.write_text(json.dumps({"control_token": CONTROL_TOKEN}))
        stack.run(
            "practice",
            *("-m", "simulator", "--port", str(practice_port), "--secrets", str(told)),
            *("--redirect-uri", f"{stack.url}/auth/v0/oauth2/authorized"),
        )
        if with_firm:
            seeding = stack.run(
                "seed", "-m", "tests.support.stack", practice.url, practice_password(CLIENT_ID)
            )
            assert seeding.running and seeding.running.wait(START_SECONDS) == 0, seeding.said()
            del stack.processes["seed"]
            stack.run("web", "-m", "flask", "--app", "app", "web")
            stack.start_worker()
        else:
            stack.run("up", "-m", "flask", "--app", "app", "up")
        until(lambda: answers(f"{practice.url}/api"), "The practice iManage")
        until(lambda: answers(f"{stack.url}/health/ready"), "Counterpart")
        until(lambda: stack.rows("SELECT 1 FROM worker_heartbeat") != [], "The worker")
        yield stack
    finally:
        stack.stop()


def _make_firm(practice_url: str, secret: str) -> None:
    from app import create_app
    from commands import demo_firm, migrations

    with create_app().app_context():
        migrations.upgrade()
        demo_firm.make(practice_url, secret)
        _confirm_guests()


def _confirm_guests() -> None:
    """Each member has confirmed today which guests see what arrives, so that most journeys are not asked."""
    from sqlalchemy import select

    from models import Member, Participant
    from services.core.actor import Actor
    from services.core.unit_of_work import session
    from services.matters import exposure

    editors = select(Participant.matter_id, Member).join(Member, Member.id == Participant.member_id)
    changing = editors.where(~Member.is_guest, Participant.role != "viewer")
    for matter_id, member in session().execute(changing).all():
        actor = Actor(member.id, member.name, member.email)
        key = exposure.question(actor, matter_id).readers.key
        exposure.decide(actor, matter_id, (), exposure.GUESTS, key)


if __name__ == "__main__":
    _make_firm(*sys.argv[1:])
