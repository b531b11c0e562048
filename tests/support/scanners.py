"""Virus scanners: Debian's clamd with one signature, and a small ICAP server."""

from __future__ import annotations

import shutil
import socketserver
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The 68 bytes that every scanner takes for a virus, and that do nothing."""
SIGNATURE = "44d88612fea8a8f36de82e1278abb02f:68:Eicar-Test-Signature\n"
CLAMD = "/usr/sbin/clamd"
STREAM_MOST = 2 << 20
START_SECONDS = 60.0


@contextmanager
def clamd() -> Iterator[str]:
    """Its address. The socket's path has to be short, so it is in a folder of its own."""
    assert Path(CLAMD).exists(), "clamav-daemon is missing: run tests/prepare."
    folder = Path(tempfile.mkdtemp(prefix="clamd-"))
    (folder / "database").mkdir()
    (folder / "database" / "test.hdb").write_text(SIGNATURE)
    socket = folder / "socket"
    settings = [
        f"LocalSocket {socket}",
        f"DatabaseDirectory {folder / 'database'}",
        f"TemporaryDirectory {folder}",
        f"LogFile {folder / 'log'}",
        "Foreground yes",
        "MaxThreads 2",
        f"StreamMaxLength {STREAM_MOST}",
    ]
    (folder / "clamd.conf").write_text("\n".join(settings) + "\n")
    process = subprocess.Popen(
        [CLAMD, "--config-file", str(folder / "clamd.conf")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not socket.exists():
            assert process.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.05)
        yield f"clamd://{socket}"
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder)


@dataclass
class IcapServer:
    """Says what `answer` is, or by what it was sent: 204, or 200 with a name. `seen` are the files it got.

    With `after_bytes` it calls a file clean as soon as it has so many of it, and `hangs_up` or reads on.
    """

    port: int = 0
    answer: bytes = b""
    seen: list[bytes] = field(default_factory=list)
    after_bytes: int | None = None
    hangs_up: bool = False
    has_answered: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"icap://127.0.0.1:{self.port}/avscan"


@contextmanager
def icap() -> Iterator[IcapServer]:
    server = IcapServer()

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += self.rfile.readline()
            assert head.startswith(b"RESPMOD icap://127.0.0.1") and b"\r\nAllow: 204\r\n" in head
            while self.rfile.readline() != b"\r\n":  # the head of the answer that is judged
                pass
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
                if server.after_bytes is not None and len(body) >= server.after_bytes:
                    if not server.has_answered.is_set():
                        self.wfile.write(b"ICAP/1.0 204 No Content\r\n\r\n")
                        server.has_answered.set()
                    if server.hangs_up:
                        return
            if server.after_bytes is not None:
                return
            self.rfile.readline()
            server.seen.append(body)
            found = b"ICAP/1.0 200 OK\r\nX-Infection-Found: Type=0; Threat=Eicar;\r\n\r\n"
            clean = b"ICAP/1.0 204 No Content\r\n\r\n"
            self.wfile.write(server.answer or (found if EICAR in body else clean))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as listening:
        listening.daemon_threads = True
        server.port = listening.server_address[1]
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()
