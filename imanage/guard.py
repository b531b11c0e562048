"""The outbound HTTP session for every call to an iManage server: the guard against SSRF.

Addresses are checked when the connection is opened (imanage/dialling.py), so DNS rebinding gains nothing. Redirects are
never followed, proxy variables and .netrc are ignored, certificates are always verified, and no cookies are kept,
because threads that act for different users share the session. Where the installation has a proxy (imanage/proxies.py),
every connection is a tunnel through it, for http and https alike, except to addresses that bypass it.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from functools import lru_cache
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from typing import Any, cast

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from .deadlines import Deadline, Timed, TimedTLS, current, of_call
from .dialling import dial, dial_proxy, host_and_port, open_proxy, resolve_allowed
from .networks import AddressRefusedError, AddressRules
from .proxies import Proxy, tunnelling

USER_AGENT = "Counterpart/0.1 (iManage Work client)"


@dataclass(frozen=True)
class Cap:
    """The largest response of one kind: bytes of body and JSON values, each of which takes about 100 bytes parsed."""

    bytes: int
    values: int


@dataclass(frozen=True)
class Limits:
    """Timeouts and sizes. `connect_seconds` and `read_seconds` limit one wait, `total_seconds` a whole call.

    Uploads and downloads have no total; they must transfer `min_bytes_per_second` on average over `read_seconds`.
    The response to an upload may take `upload_response_seconds`.
    """

    connect_seconds: float = 10
    read_seconds: float = 60
    total_seconds: float = 180
    upload_response_seconds: float = 600
    min_bytes_per_second: int = 1024
    listing: Cap = Cap(4 * 1024 * 1024, 150_000)
    single: Cap = Cap(256 * 1024, 10_000)
    token: Cap = Cap(64 * 1024, 1_000)
    pool_size: int = 64

    def deadline(self) -> Deadline:
        """The deadline of a call that begins now."""
        return Deadline(self.total_seconds, self.min_bytes_per_second, self.read_seconds)


class GuardedSession(requests.Session):
    """A session without redirects, environment settings and cookies. Threads may share it.

    It skips what requests does for these on every call, which also halves the cost of a call.
    """

    def __init__(
        self, limits: Limits, rules: AddressRules, trust: ssl.SSLContext, proxy: Proxy | None
    ) -> None:
        super().__init__()
        self.limits, self.rules, self.trust, self.proxy = limits, rules, trust, proxy
        self.trust_env = False
        self.headers["User-Agent"] = USER_AGENT
        self.headers["Accept"] = "application/json"
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Only method, URL, headers and body."""
        prepared = requests.PreparedRequest()
        prepared.prepare_method(request.method)
        prepared.prepare_url(request.url or "", request.params or None)
        prepared.prepare_headers({**self.headers, **(request.headers or {})})
        prepared.prepare_body(request.data, None, request.json)
        return prepared

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """Ignore the environment."""
        return {"stream": stream}

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send through the adapter. A redirect is returned as it is."""
        adapter = self.get_adapter(request.url or "")
        response = adapter.send(request, stream=True, timeout=options.get("timeout"))
        if not options.get("stream"):
            _ = response.content  # read the whole body, so that the connection returns to the pool
        return response


def build_session(
    rules: AddressRules,
    limits: Limits | None = None,
    ca_pem: str | None = None,
    proxy: Proxy | None = None,
) -> GuardedSession:
    """A guarded, pooled session for one server. `ca_pem` is trusted in addition to the usual authorities."""
    limits = limits or Limits()
    session = GuardedSession(limits, rules, _trust(ca_pem), proxy)
    adapter = _GuardedAdapter(rules, limits, session.trust, proxy)
    session.adapters.clear()
    session.mount("https://", adapter)
    if rules.allow_http:
        session.mount("http://", adapter)
    return session


def limits_of(session: requests.Session) -> Limits:
    """The limits that a session was built with."""
    return session.limits if isinstance(session, GuardedSession) else Limits()


def deadline_of(response: requests.Response) -> Deadline | None:
    """The deadline for the rest of this response."""
    found = getattr(response, "deadline", None)
    return found if isinstance(found, Deadline) else None


def raw_body(response: requests.Response) -> HTTPResponse | None:
    """The http.client response below urllib3's, unless the body is chunked."""
    line = getattr(response.raw, "_fp", None)
    return line if isinstance(line, HTTPResponse) and not line.chunked else None


def addresses_of(session: GuardedSession, origin: str) -> tuple[str, ...]:
    """The addresses of an origin. Raises AddressRefusedError, or socket.gaierror if DNS has no such name."""
    host, port = host_and_port(origin)
    answers = resolve_allowed(host, port, session.rules, session.limits.connect_seconds)
    return tuple(dict.fromkeys(str(answer[4][0]) for answer in answers))


def is_bypassed(session: GuardedSession, origin: str) -> bool:
    """Whether connections to an origin bypass the session's proxy now."""
    if session.proxy is None or not session.proxy.bypass:
        return False
    try:
        answers = resolve_allowed(*host_and_port(origin), session.rules, session.limits.connect_seconds)
    except (AddressRefusedError, socket.gaierror):
        return False
    return session.proxy.is_bypassed(answers)


def open_connection(session: GuardedSession, origin: str) -> socket.socket:
    """A separate connection outside the pool, opened under the same rules, for the connection check."""
    host, port = host_and_port(origin)
    limits = session.limits
    kind = _pool_classes(session.rules, limits, session.proxy)["http"].ConnectionCls
    connection = cast(type[HTTPConnection], kind)(host, port, timeout=limits.connect_seconds)
    with of_call(limits.deadline()):
        try:
            connection.connect()
        except Exception:
            connection.close()
            raise
    sock: socket.socket = connection.sock
    sock.settimeout(limits.connect_seconds)
    return sock


def reach_proxy(session: GuardedSession, proxy: Proxy) -> socket.socket:
    """A connection to the proxy itself, for the connection check. Raises TunnelError."""
    connection = HTTPConnection(proxy.host, proxy.port, timeout=session.limits.connect_seconds)
    with of_call(session.limits.deadline()):
        return open_proxy(connection, proxy)


def _pool_classes(
    rules: AddressRules, limits: Limits, proxy: Proxy | None
) -> dict[str, type[HTTPConnectionPool]]:
    """Connection pools that open their connections under our rules, through the proxy if there is one."""

    class Guarded(HTTPConnection):
        is_tunnelled = True

        def _new_conn(self) -> socket.socket:
            if proxy is None:
                return dial(self, rules)
            sock, self.is_tunnelled = dial_proxy(self, proxy, rules)
            return sock

        # urllib3 sends with the connect timeout; a block of a large upload can take longer.
        def connect(self) -> None:
            if proxy is not None:
                self.set_tunnel(self.host, self.port, proxy.headers(self.host, self.port))
            super().connect()
            self._begin()

        def _tunnel(self) -> None:
            if self.is_tunnelled:
                with tunnelling(self, limits.connect_seconds):
                    super()._tunnel()

        def request(self, method: str, url: str, body: Any = None, *args: Any, **kwargs: Any) -> None:
            if self.sock is not None:
                self._begin()
            deadline = current() if not isinstance(body, str | bytes | None) else None
            if deadline:
                deadline.require_minimum_rate()
            super().request(method, url, body, *args, **kwargs)
            if deadline:
                deadline.end_in(limits.upload_response_seconds)

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
        proxy: Proxy | None,
    ) -> None:
        self._limits = limits
        self._classes = _pool_classes(rules, limits, proxy)
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
        """Nothing to do: the pool's SSL context already has the trusted authorities."""

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """Send with verification, through no other proxy than ours and under a deadline, whatever the caller passed."""
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
    """The trusted authorities. Cached, because loading them takes longer than many calls."""
    context = ssl.create_default_context()
    context.sslsocket_class = TimedTLS
    context.load_verify_locations(cafile=DEFAULT_CA_BUNDLE_PATH)
    if ca_pem:
        context.load_verify_locations(cadata=ca_pem)
        # An intermediate may be trusted without its root: that trusts less, not more.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
