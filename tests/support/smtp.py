"""A small mail server on a socket: it speaks SMTP as real ones do, keeps what it takes, and can be told to refuse."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

from services import house

POLL_SECONDS = 0.02


@dataclass
class Mailbox:
    """`refusals` are answers given in place of a good one: {"RCPT": "550 No such user"}; `hang_up_at` names a verb."""

    port: int = 0
    raw: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)
    hang_up_at: str = ""
    connections: int = 0

    @property
    def messages(self) -> list[EmailMessage]:
        return [BytesParser(EmailMessage, policy=policy.default).parsebytes(raw) for raw in self.raw]


class _Session(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        box = self.server.box
        box.connections += 1
        self._say("220 mail.test ready")
        while line := self.rfile.readline():
            verb, _, rest = line.decode().strip().partition(" ")
            verb = verb.upper()
            if verb == box.hang_up_at:
                return
            if verb in box.refusals:
                self._say(box.refusals[verb])
            elif verb == "DATA":
                self._say("354 Go on")
                box.raw.append(self._body())
                self._say("250 Taken")
            elif verb == "QUIT":
                self._say("221 Bye")
                return
            else:
                if verb == "RCPT":
                    box.recipients.append(rest.partition(":")[2].strip("<> "))
                self._say("250-mail.test\r\n250 SMTPUTF8" if verb == "EHLO" else "250 Fine")

    def _body(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line[1:] if line.startswith(b"..") else line)
        return b"".join(lines)

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, box: Mailbox) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.box = box


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """A mail server, and an installation that is set up to send through it."""
    box = Mailbox()
    with _Server(box) as server:
        box.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True).start()
        usual = house.house()
        url = f"smtp://127.0.0.1:{box.port}"
        settings = replace(usual.settings, smtp_url=url, mail_from="counterpart@firm.test")
        house.bind(replace(usual, settings=settings))
        try:
            yield box
        finally:
            house.bind(usual)
            server.shutdown()
