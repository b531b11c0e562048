"""The one outbound HTTP session: every call to an iManage server goes through it, and none can leave its rules.

The address is judged where the connection is made (imanage/dialling.py), so a name that answers differently the second
time gains nothing. Redirects are never followed, the environment's proxies and password files are not read,
certificates are always verified and no cookie is kept, because threads that act for different people share the session.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from functools import lru_cache
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from .deadlines import Deadline, Timed, TimedTLS, current, of_call
from .dialling import answers_of, dial, place_of
from .networks import AddressRules

USER_AGENT = "Counterpart/0.1 (iManage Work client)"


@dataclass(frozen=True)
class Cap:
    """The most that one kind of answer may hold. Of `values`, each takes some hundred bytes once it is read."""

    bytes: int
    values: int


@dataclass(frozen=True)
class Limits:
    """How long and how much. Connect and read seconds are of one silence; `total_seconds` is of one whole call.

    A document on its way has no total: it keeps a pace of `slowest` bytes a second, taken over `read_seconds`. What
    iManage then says of an upload may take it `stored_seconds`.
    """

    connect_seconds: float = 10
    read_seconds: float = 60
    total_seconds: float = 180
    stored_seconds: float = 600
    slowest: int = 1024
    listing: Cap = Cap(4 * 1024 * 1024, 150_000)
    single: Cap = Cap(256 * 1024, 10_000)
    token: Cap = Cap(64 * 1024, 1_000)
    pool_size: int = 32

    def deadline(self) -> Deadline:
        """Of a call that begins now."""
        return Deadline(self.total_seconds, self.slowest, self.read_seconds)


class GuardedSession(requests.Session):
    """A session that follows no redirect, reads no environment and keeps no cookie. Safe to share by threads.

    What requests does for these around each call is left out, which also halves the call's cost.
    """

    def __init__(self, limits: Limits, rules: AddressRules, trust: ssl.SSLContext) -> None:
        super().__init__()
        self.limits, self.rules, self.trust = limits, rules, trust
        self.trust_env = False
        self.headers["User-Agent"] = USER_AGENT
        self.headers["Accept"] = "application/json"
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Method, address, headers and body, and nothing else."""
        prepared = requests.PreparedRequest()
        prepared.prepare_method(request.method)
        prepared.prepare_url(request.url or "", request.params or None)
        prepared.prepare_headers({**self.headers, **(request.headers or {})})
        prepared.prepare_body(request.data, None, request.json)
        return prepared

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """There is nothing to merge."""
        return {"stream": stream}

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Hand it to the adapter. A redirect is an answer like any other."""
        adapter = self.get_adapter(request.url or "")
        response = adapter.send(request, stream=True, timeout=options.get("timeout"))
        if not options.get("stream"):
            _ = response.content  # read whole, so that the connection is free again
        return response


def build_session(
    rules: AddressRules, limits: Limits | None = None, ca_pem: str | None = None
) -> GuardedSession:
    """A guarded, pooled session for one server. `ca_pem` is trusted beside the usual authorities."""
    limits = limits or Limits()
    session = GuardedSession(limits, rules, _trust(ca_pem))
    adapter = _GuardedAdapter(rules, limits, session.trust)
    session.adapters.clear()
    session.mount("https://", adapter)
    if rules.allow_http:
        session.mount("http://", adapter)
    return session


def limits_of(session: requests.Session) -> Limits:
    """The limits that a session was built with."""
    return session.limits if isinstance(session, GuardedSession) else Limits()


def deadline_of(response: requests.Response) -> Deadline | None:
    """What the rest of this answer must keep to."""
    found = getattr(response, "deadline", None)
    return found if isinstance(found, Deadline) else None


def line_of(response: requests.Response) -> HTTPResponse | None:
    """What urllib3 reads the answer's body from, where it comes as it is and not in chunks."""
    line = getattr(response.raw, "_fp", None)
    return line if isinstance(line, HTTPResponse) and not line.chunked else None


def addresses_of(session: GuardedSession, origin: str) -> tuple[str, ...]:
    """Where a name leads. Raises AddressRefusedError, or socket.gaierror for a name unknown to DNS."""
    host, port = place_of(origin)
    answers = answers_of(host, port, session.rules, session.limits.connect_seconds)
    return tuple(dict.fromkeys(str(answer[4][0]) for answer in answers))


def open_line(session: GuardedSession, origin: str) -> socket.socket:
    """A connection of its own, dialled as every other is, for looking at the line itself."""
    host, port = place_of(origin)
    with of_call(session.limits.deadline()):
        return dial(HTTPConnection(host, port, timeout=session.limits.connect_seconds), session.rules)


def _pool_classes(rules: AddressRules, limits: Limits) -> dict[str, type[HTTPConnectionPool]]:
    """Connection pools whose connections are dialled under these rules."""

    class Guarded(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return dial(self, rules)

        # urllib3 sends under the connect time-out; a block of a large upload may well take longer than that.
        def connect(self) -> None:
            super().connect()
            self._begin()

        def request(self, method: str, url: str, body: Any = None, *args: Any, **kwargs: Any) -> None:
            if self.sock is not None:
                self._begin()
            deadline = current() if not isinstance(body, str | bytes | None) else None
            if deadline:
                deadline.keep_pace()
            super().request(method, url, body, *args, **kwargs)
            if deadline:
                deadline.end_in(limits.stored_seconds)

        def _begin(self) -> None:
            self.sock.settimeout(limits.read_seconds)
            if isinstance(self.sock, Timed):
                self.sock.deadline = current()

    class GuardedTLS(Guarded, HTTPSConnection):
        pass

    class Pool(HTTPConnectionPool):
        ConnectionCls = Guarded

    class TLSPool(HTTPSConnectionPool):
        ConnectionCls = GuardedTLS

    return {"http": Pool, "https": TLSPool}


class _GuardedAdapter(HTTPAdapter):
    def __init__(
        self,
        rules: AddressRules,
        limits: Limits,
        trust: ssl.SSLContext,
    ) -> None:
        self._limits = limits
        self._classes = _pool_classes(rules, limits)
        self._context = trust
        super().__init__(pool_connections=4, pool_maxsize=limits.pool_size, max_retries=0)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any
    ) -> None:
        self.poolmanager = PoolManager(
            num_pools=connections, maxsize=maxsize, block=block, ssl_context=self._context, **pool_kwargs
        )
        self.poolmanager.pool_classes_by_scheme = self._classes

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Leave the pool as it is: its context already holds every authority that is trusted."""

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """Send with verification on, no proxy, and an end whatever the caller asked for."""
        limits = self._limits
        patience = timeout or (limits.connect_seconds, limits.read_seconds)
        deadline = limits.deadline()
        with of_call(deadline):
            response = super().send(
                request, stream=stream, timeout=patience, verify=True, cert=None, proxies=None
            )
        vars(response)["deadline"] = deadline
        return response


@lru_cache(maxsize=64)
def _trust(ca_pem: str | None) -> ssl.SSLContext:
    """Every authority that is trusted. Reading them takes longer than many a call, so it is done once."""
    context = ssl.create_default_context()
    context.sslsocket_class = TimedTLS
    context.load_verify_locations(cafile=DEFAULT_CA_BUNDLE_PATH)
    if ca_pem:
        context.load_verify_locations(cadata=ca_pem)
        # An authority may be trusted without the root above it: that says less, not more.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
