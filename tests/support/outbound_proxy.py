"""Debian's tinyproxy as the firm's outbound proxy: CONNECT to the ports that it allows, with or without a sign-in.

Its connections come from `SOURCE`, so that a server behind it can tell them from direct ones.
"""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support.stack import free_port, until

PROGRAM = "/usr/bin/tinyproxy"
SOURCE = "127.0.0.77"
USER, PASSWORD = "proxy-account", "sesame-proxy-0451"


@dataclass
class OutboundProxy:
    """A running tinyproxy, which can be stopped and started again at the same port."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [PROGRAM, "-d", "-c", str(self.folder / "tinyproxy.conf")]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self._listens, "The proxy", 30)

    def stop(self) -> None:
        """Also ends what goes through it."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(10)
            self.process = None

    def said(self) -> str:
        """Its log."""
        return (self.folder / "log").read_text(errors="replace")

    def connects(self) -> int:
        """How many CONNECT requests it got."""
        return len(re.findall(r": CONNECT ", self.said()))

    def _listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


@contextmanager
def outbound_proxy(*ports: int, signs_in: bool = False) -> Iterator[OutboundProxy]:
    """A proxy that lets CONNECT through to these ports, and answers 403 for others."""
    folder = Path(tempfile.mkdtemp(prefix="tinyproxy-"))
    proxy = OutboundProxy(free_port(), folder)
    lines = [
        f"Port {proxy.port}",
        "Listen 127.0.0.1",
        f"Bind {SOURCE}",
        "Timeout 60",
        "MaxClients 100",
        "Allow 127.0.0.1",
        f'LogFile "{folder / "log"}"',
        "LogLevel Connect",
        *(f"ConnectPort {port}" for port in ports or (0,)),
        *([f"BasicAuth {USER} {PASSWORD}"] if signs_in else []),
    ]
    (folder / "tinyproxy.conf").write_text("\n".join(lines) + "\n")
    try:
        proxy.start()
        yield proxy
    finally:
        proxy.stop()
        shutil.rmtree(folder)
