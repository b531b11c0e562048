"""An installation with a large document, and its web server as a process that tests talk to byte by byte.

`python -m tests.support.web SIZE [PRACTICE]` fills the installation that the environment names, and prints where
everything is. With the address of a practice iManage there are people besides who look around in it.
"""

from __future__ import annotations

import io
import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.support import forks
from tests.support.stack import Process, answers, free_port, inherited, until

if TYPE_CHECKING:
    from flask import Flask

    from tests.support.pages import Browser

FLASK = ("-m", "flask", "--app", "app", "web")
PATIENCE = 30.0
FORM = "multipart/form-data; boundary=edge"
FORM_END = b"\r\n--edge--\r\n"


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in. `browse` is where they look around in the practice iManage, where there is one."""

    cookie: str
    token: str
    browse: str = ""


@dataclass(frozen=True)
class Installation:
    """What a test needs to know of it. `size` is that of the document at `download`."""

    folder: Path
    size: int
    ann: Person
    eve: Person
    upload: str
    download: str
    environment: dict[str, str]
    lookers: tuple[Person, ...] = ()


@dataclass(frozen=True)
class Web:
    """A server that runs: talk to it at `port`."""

    installation: Installation
    port: int
    process: Process

    def connect(self, receive_buffer: int = 0) -> socket.socket:
        peer = socket.socket()
        if receive_buffer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        peer.settimeout(PATIENCE)
        peer.connect(("127.0.0.1", self.port))
        return peer

    def head(self, method: str, path: str, person: Person | None = None, **headers: str | int) -> bytes:
        """The head of a call. An underscore in a header's name stands for a hyphen."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        if person is not None:
            lines.append(f"Cookie: counterpart={person.cookie}")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode()

    def page(self) -> int:
        """The status of a page that asks the database, for somebody who is signed in."""
        with self.connect() as peer:
            peer.sendall(self.head("GET", "/", self.installation.ann, Connection="close"))
            return status(peer)

    def pids(self) -> list[int]:
        """The server's process and those that it started."""
        assert self.process.running is not None
        found = [self.process.running.pid]
        for pid in found:
            with suppress(OSError):
                children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
                found += [int(child) for child in children]
        return found

    def spooled(self) -> int:
        """Bytes in files without a name that the server holds open."""
        total = 0
        for pid in self.pids():
            for link in Path(f"/proc/{pid}/fd").glob("*"):
                with suppress(OSError):
                    name = str(link.readlink())
                    if name.endswith("(deleted)") and "wgunicorn" not in name:
                        total += link.stat().st_size
        return total


def upload_head(web: Web, length: int | None, person: Person | None = None, **headers: str) -> bytes:
    """The head of an upload by this person, or by Ann; without a length it comes in chunks."""
    person = person or web.installation.ann
    headers = {"X_CSRFToken": person.token, "Content_Type": FORM} | headers
    size: dict[str, str | int] = (
        {"Transfer_Encoding": "chunked"} if length is None else {"Content_Length": length}
    )
    return web.head("POST", web.installation.upload, person, **size, **headers)


def form_of(content: bytes, name: str = "Sent.bin") -> bytes:
    """The body of an upload of one file."""
    return form_head(name) + content + FORM_END


def form_head(name: str) -> bytes:
    return f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()


def upload(web: Web, name: str, mib: int) -> None:
    """Add a document of so many MiB, as no other upload has them."""
    own = name.encode().ljust(64)
    with web.connect() as peer:
        peer.settimeout(600)
        peer.sendall(upload_head(web, len(form_head(name)) + (mib << 20) + len(FORM_END)) + form_head(name))
        for number in range(mib):
            peer.sendall((own + b"%16d" % number).ljust(1 << 20, b"."))
        peer.sendall(FORM_END)
        assert status(peer) == 303


def own_memory(pid: int) -> float:
    """MiB that a process has for itself alone, files that it has mapped left out."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Anonymous:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("The system does not tell a process's memory.")


def read_head(peer: socket.socket) -> bytes:
    """Everything to the end of an answer's headers."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = peer.recv(1)
        assert piece, f"The connection ended within the headers: {head!r}"
        head += piece
    return head


def status(peer: socket.socket) -> int:
    return int(read_head(peer).split()[1])


def read_all(peer: socket.socket) -> bytes:
    """Everything to the end of the connection."""
    return b"".join(iter(lambda: peer.recv(1 << 20), b""))


def install(folder: Path, size: int, *, practice: str = "", **more: str) -> Installation:
    """Make the tables, two people, a matter of the first, and a document of so many bytes in it.

    With the address of a practice iManage its people are there as well, each with a matter and signed in to it.
    """
    if practice:
        more |= {"COUNTERPART_IMANAGE_ALLOW_HTTP": "1", "COUNTERPART_IMANAGE_NETWORKS": "127.0.0.0/8"}
        more |= {"COUNTERPART_IMANAGE_PORTS": str(urlsplit(practice).port)}
    environment = inherited() | {
        "COUNTERPART_DATA_DIR": str(folder / "data"),
        "COUNTERPART_CHECK_MINUTES": "0",
        "PYTHONUNBUFFERED": "1",
        **more,
    }
    command = [sys.executable, "-m", "tests.support.web", str(size), *filter(None, [practice])]
    done = forks.run(command, env=environment)
    assert done.returncode == 0, done.stderr
    said = done.stdout
    told: dict[str, Any] = json.loads(said.splitlines()[-1])
    told |= {name: Person(**told[name]) for name in ("ann", "eve")}
    told["lookers"] = tuple(Person(**each) for each in told["lookers"])
    return Installation(folder=folder, size=size, environment=environment, **told)


@contextmanager
def serving(installation: Installation, *command: str, **environment: str) -> Iterator[Web]:
    """The server by this command (`PORT` in it stands for a free port), up and answering."""
    port = free_port()
    process = Process(
        "web",
        [sys.executable, *(part.replace("PORT", str(port)) for part in command)],
        installation.environment
        | {"COUNTERPART_PORT": str(port), "COUNTERPART_PUBLIC_URL": f"http://127.0.0.1:{port}"}
        | environment,
        installation.folder / f"web-{port}.log",
        is_forked=True,
    )
    process.start()
    try:
        until(lambda: answers(f"http://127.0.0.1:{port}/health/live"), "the server")
        yield Web(installation, port, process)
    finally:
        if process.running is not None and process.running.poll() is None:
            process.running.terminate()
            # Two signals of a kind that come together are one; the second cuts what a test has left under way.
            until(lambda: not answers(f"http://127.0.0.1:{port}/health/live"), "the end of the server")
            process.stop()


def _fill(size: int, practice: str) -> dict[str, object]:
    from app import create_app
    from commands import migrations
    from tests.support.matters import add_document, current_version, open_matter
    from tests.support.pages import Browser
    from tests.support.people import actor_of, make_member

    app = create_app()
    with app.app_context():
        migrations.upgrade()
        ann, eve = make_member("Ann"), make_member("Eve")
        matter = open_matter(actor_of(ann))
        content = os.urandom(1 << 20) * (size >> 20)
        document = add_document(actor_of(ann), matter, "Large.bin", content)
        told: dict[str, object] = {
            "upload": f"/matters/{matter}/documents/new",
            "download": f"/versions/{current_version(document)}/download",
        }
        for name, member in (("ann", ann), ("eve", eve)):
            told[name] = _person_of(Browser(app).sign_in(member))
        told["lookers"] = _lookers(app, practice) if practice else []
    return told


def _person_of(browser: Browser) -> dict[str, str]:
    token = browser.csrf_token()
    cookie = browser.client.get_cookie("counterpart")
    assert cookie is not None
    return {"cookie": cookie.value, "token": token}


def _lookers(app: Flask, practice: str) -> list[dict[str, str]]:
    from services.servers.practice import USERS
    from tests.support.matters import open_matter
    from tests.support.pages import Browser
    from tests.support.people import actor_of, make_member
    from tests.support.practice import practice_server, sign_in_to_imanage
    from tests.support.stack import Practice

    server = practice_server(Practice(practice)).id
    found = []
    for user in USERS:
        member = make_member(user.capitalize(), email=f"{user}@practice.example")
        browser = Browser(app).sign_in(member)
        sign_in_to_imanage(browser, server, user.upper())
        matter = open_matter(actor_of(member))
        found.append(_person_of(browser) | {"browse": f"/matters/{matter}/browse/{server}"})
    return found


if __name__ == "__main__":
    told = json.dumps(_fill(int(sys.argv[1]), "".join(sys.argv[2:])))
    io.TextIOWrapper(sys.stdout.buffer, write_through=True).write(f"\n{told}\n")
