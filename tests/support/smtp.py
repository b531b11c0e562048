"""A small SMTP server on a socket that keeps the mail it accepts and can be told to refuse."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from services.core import runtime

POLL_SECONDS = 0.02
TRICKLE_SECONDS = 0.1


@dataclass
class Mailbox:
    """`refusals` are answers in place of a good one: {"RCPT": "550 No such user"}, {"RCPT a@firm.test": …}.

    `hang_up_at` and `trickle_at` name a verb; GREETING and BODY are what is said before any, and after a mail's text.
    """

    port: int = 0
    raw: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)
    hang_up_at: str = ""
    trickle_at: str = ""
    greeting: str = "220 mail.test ready"
    takes_utf8: bool = True
    connections: int = 0

    @property
    def messages(self) -> list[EmailMessage]:
        return [BytesParser(EmailMessage, policy=policy.default).parsebytes(raw) for raw in self.raw]


class _Session(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        box = self.server.box
        box.connections += 1
        self._say(box.greeting, "GREETING")
        while line := self.rfile.readline():
            verb, _, rest = line.decode().strip().partition(" ")
            verb = verb.upper()
            if verb == box.hang_up_at:
                return
            target = rest.partition(":")[2].strip("<> ")
            if refusal := box.refusals.get(f"{verb} {target}") or box.refusals.get(verb):
                self._say(refusal, verb)
            elif verb == "DATA":
                self._say("354 End with a dot", verb)
                box.raw.append(self._body())
                self._say("250 Taken", "BODY")
            elif verb == "QUIT":
                self._say("221 Bye", verb)
                return
            else:
                if verb == "RCPT":
                    box.recipients.append(target)
                offers = "250-mail.test\r\n250 SMTPUTF8" if box.takes_utf8 else "250 mail.test"
                self._say(offers if verb == "EHLO" else "250 Fine", verb)

    def _body(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line[1:] if line.startswith(b"..") else line)
        return b"".join(lines)

    def _say(self, text: str, verb: str) -> None:
        if verb == self.server.box.trickle_at:
            self._trickle(text)
        self.wfile.write(text.encode() + b"\r\n")

    def _trickle(self, text: str) -> None:
        """Say it as the first of lines without end, byte by byte, until the reader has gone."""
        with suppress(OSError):
            for sign in (f"{text[:3]}-" + "x" * 40 + "\r\n") * 1000:
                self.wfile.write(sign.encode())
                time.sleep(TRICKLE_SECONDS)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, box: Mailbox, context: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.box = box
        self.context = context

    def get_request(self) -> tuple[socket.socket, Any]:
        line, address = super().get_request()
        if self.context:
            line = self.context.wrap_socket(line, server_side=True, do_handshake_on_connect=False)
        return line, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that does not trust our certificate hangs up, as intended."""
        if not self.context:
            super().handle_error(request, client_address)


@contextmanager
def mail_server(context: ssl.SSLContext | None = None) -> Iterator[Mailbox]:
    """A mail server, under TLS where `context` is given, and an installation that is set up to send through it."""
    box = Mailbox()
    with _Server(box, context) as server:
        box.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True).start()
        usual = runtime.runtime()
        url = f"{'smtps' if context else 'smtp'}://127.0.0.1:{box.port}"
        settings = replace(usual.settings, smtp_url=url, mail_from="counterpart@firm.test")
        runtime.bind(replace(usual, settings=settings))
        try:
            yield box
        finally:
            runtime.bind(usual)
            server.shutdown()
