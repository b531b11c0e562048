"""Authorization codes, access and refresh tokens, and browser sessions."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import asdict, dataclass, replace

from simulator.settings import Settings
from simulator.store import Store

REMEMBER_EVERY = 30.0  # the last use of a token is stored at most this often


@dataclass(frozen=True)
class Code:
    user: str
    client_id: str
    redirect_uri: str
    scope: str
    challenge: str
    made: float


@dataclass(frozen=True)
class Token:
    """An access token, a refresh token or a browser session, by `kind`."""

    kind: str
    user: str
    client_id: str
    scope: str
    made: float
    used: float
    family: str = ""


class Tokens:
    def __init__(self, settings: Settings, store: Store) -> None:
        self._lock = threading.Lock()
        self._settings = settings
        self._store = store
        self._codes: dict[str, Code] = {}
        self._tokens = {key: Token(**row) for key, row in store.all("token").items()}

    # -- codes ---------------------------------------------------------------------------------------------

    def new_code(self, user: str, client_id: str, redirect_uri: str, scope: str, challenge: str) -> str:
        text = secrets.token_urlsafe(32)
        with self._lock:
            self._codes[text] = Code(user, client_id, redirect_uri, scope, challenge, time.time())
        return text

    def use_code(self, text: str) -> Code | None:
        """Redeem a code: valid once and for a short time."""
        with self._lock:
            code = self._codes.pop(text, None)
        if code is None or time.time() - code.made > self._settings.code_seconds:
            return None
        return code

    # -- tokens --------------------------------------------------------------------------------------------

    def issue(self, kind: str, user: str, client_id: str = "", scope: str = "user", family: str = "") -> str:
        """Issue a token. Tokens of one sign-in share a family and are revoked together at sign-out."""
        text, at = secrets.token_urlsafe(40), time.time()
        self._keep(text, Token(kind, user, client_id, scope, at, at, family or secrets.token_hex(8)))
        return text

    def find(self, kind: str, text: str) -> Token | None:
        """The valid token; does not count as use."""
        token = self._tokens.get(text)
        if token is None or token.kind != kind:
            return None
        return token if time.time() < self._end(token) else None

    def use(self, text: str) -> Token | None:
        """The valid access token; use restarts its idle time."""
        token, at = self.find("access", text), time.time()
        if token and self._settings.access_sliding:
            if at - token.used > REMEMBER_EVERY:
                self._keep(text, replace(token, used=at))
            else:
                with self._lock:
                    if text in self._tokens:
                        self._tokens[text] = replace(token, used=at)
        return token

    def _end(self, token: Token) -> float:
        if token.kind == "access":
            return token.used + self._settings.access_idle_seconds
        if token.kind == "refresh":
            return token.made + self._settings.refresh_seconds
        return token.made + 90 * 60

    def _keep(self, text: str, token: Token) -> None:
        with self._lock:
            self._tokens[text] = token
        self._store.put("token", text, asdict(token))

    def forget(self, text: str) -> None:
        with self._lock:
            self._tokens.pop(text, None)
        self._store.drop("token", text)

    def forget_all(self, kind: str, user: str = "", family: str = "") -> int:
        """Revoke all tokens of a kind, of one user or of one family. Returns how many."""
        with self._lock:
            found = [
                text
                for text, token in self._tokens.items()
                if token.kind == kind
                and (not user or token.user.upper() == user.upper())
                and (not family or token.family == family)
            ]
        for text in found:
            self.forget(text)
        return len(found)
