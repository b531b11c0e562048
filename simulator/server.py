"""The practice server: data, settings and HTTP server, started and stopped together."""

from __future__ import annotations

import re
import shutil
import ssl
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from simulator import (
    containers,
    control,
    discovery,
    documents,
    downloads,
    filing,
    libraries,
    locks,
    oauth,
    pages,
    personal,
    rights,
    sync,
    uploads,
)
from simulator.faults import FaultRules
from simulator.http_server import Listener, Wsgi
from simulator.incoming import UploadRequest, discard
from simulator.rows import container_from, container_row, document_from, document_row
from simulator.seed import practice_world
from simulator.settings import Settings
from simulator.state import Request, State
from simulator.store import Store
from simulator.tokens import Tokens
from simulator.values import App, Container, Document, Key, object_id
from simulator.web import RefusedError, not_found, refused
from simulator.world import World

_SLASHES = re.compile("//+")
ALIASES = ("/work/web/api/v2/", "/api/v2/")
BLUEPRINTS = (
    oauth,
    discovery,
    libraries,
    personal,
    containers,
    documents,
    downloads,
    uploads,
    filing,
    rights,
    locks,
    sync,
    pages,
    control,
)


class Simulator:
    """`with Simulator() as sim:` gives a running practice server at `sim.url`.

    Without `data_dir` a temporary folder is used; with it, data survives a restart.
    """

    def __init__(
        self,
        world: World | None = None,
        port: int = 0,
        host: str = "127.0.0.1",
        data_dir: Path | str | None = None,
        settings: Settings | None = None,
        control_token: str = "",
        quiet: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._address, self._tls = (host, port), tls
        self._data_dir = Path(data_dir) if data_dir else None
        self._control_token, self._quiet = control_token, quiet
        self.world = world or practice_world()
        self.settings = settings or Settings()
        self.faults = FaultRules()
        self._temp_dir: Path | None = None

    def start(self) -> Self:
        if self._data_dir is None:
            self._temp_dir = Path(tempfile.mkdtemp(prefix="practice-imanage-"))
        folder = self._data_dir or self._temp_dir or Path()
        files = folder / "files"
        files.mkdir(parents=True, exist_ok=True)
        for left_over in files.glob("incoming-*"):
            left_over.unlink()
        self._store = Store(folder / "practice.sqlite")
        self._require_same_world()
        _restore(self.world, self.settings, self._store, files)
        self.world.watcher = _Watcher(self._store)
        self.tokens = Tokens(self.settings, self._store)
        self._state = State(
            self.world,
            self.settings,
            self.faults,
            self.tokens,
            self._store,
            files,
            self._control_token,
            self._quiet,
        )
        try:
            self._listener = Listener(*self._address, web_app(self._state), self._state, self._tls)
        except OSError:
            self._clean_up()
            raise
        self.port = self._listener.address[1]
        host = f"[{self._address[0]}]" if ":" in self._address[0] else self._address[0]
        self.url = f"{'https' if self._tls else 'http'}://{host}:{self.port}"
        self._listeners = [self._listener]
        self._listener.start()
        return self

    def _require_same_world(self) -> None:
        """Changes that were kept belong to the world that they were made in. Raises ValueError for another one."""
        kept = self._store.all("world").get("name", self.world.name)
        if kept != self.world.name:
            self._clean_up()
            raise ValueError(
                f"{self._data_dir} holds the changes to the world {kept!r}, not {self.world.name!r}"
            )
        self._store.put("world", "name", self.world.name)

    def add_listener(self, app: Wsgi) -> str:
        """Serve another application on its own port, with this server's latency, faults and log. Returns its URL."""
        self._listeners.append(Listener(self._address[0], 0, app, self._state))
        self._listeners[-1].start()
        host, port = self._listeners[-1].address
        return f"http://{host}:{port}"

    def stop(self) -> None:
        for door in self._listeners:
            door.stop()
        self._clean_up()

    def _clean_up(self) -> None:
        self.world.watcher = None
        self._store.close()
        if self._temp_dir:
            shutil.rmtree(self._temp_dir, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def requests(self) -> list[Request]:
        """All calls so far, in order of arrival, without control calls."""
        return self._state.requests

    def forget_requests(self) -> None:
        self._state.log.clear()

    def token_for(self, user: str, client_id: str = "") -> str:
        """A valid access token without a sign-in."""
        found = self.world.user(user)
        if found is None:
            raise KeyError(user)
        return self.tokens.issue("access", found.id, client_id or self.world.apps[0].client_id)

    def expire_tokens(self, user: str = "") -> int:
        """Expire all access tokens now, or one user's. Refresh tokens stay valid."""
        return self.tokens.forget_all("access", user)

    def revoke(self, user: str = "") -> None:
        """Revoke access and refresh tokens, as an administrator would."""
        for kind in ("access", "refresh"):
            self.tokens.forget_all(kind, user)

    def files(self) -> Iterable[Path]:
        """The uploaded files on disk."""
        return sorted(self._state.files.iterdir())


class _Watcher:
    """Persists every change to the data. The seed itself is never written."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(self, kind: str, key: Key, value: Container | Document | None) -> None:
        row = None
        if isinstance(value, Document):
            row = document_row(value)
        elif isinstance(value, Container):
            row = container_row(value)
        self._store.put(kind, object_id(key), row)


def _restore(world: World, settings: Settings, store: Store, files: Path) -> None:
    """Apply the stored changes to the seed: containers, then documents, then removals."""
    gone: list[Any] = []
    containers_kept = [(_key(name), row) for name, row in store.all("container").items()]
    for key, row in sorted(containers_kept, key=lambda one: one[0]):
        if row:
            world.put_container(container_from(row))
        else:
            gone.append(world.container(*key))
    for name, row in store.all("document").items():
        if row:
            world.put_document(document_from(row, files))
        else:
            gone.append(world.document(*_key(name)))
    for name, row in store.all("trash").items():
        if row:
            world.trash[_key(name)] = document_from(row, files)
    for thing in gone:
        if isinstance(thing, Document):
            world.remove_document(thing)
        elif isinstance(thing, Container):
            world.remove_folder(thing)
    if kept := store.all("settings").get("all"):
        settings.update(kept)
    for row in store.all("app").values():
        world.add_app(App(**row | {"redirect_uris": tuple(row["redirect_uris"])}))


def _key(name: str) -> Key:
    library, _, number = name.rpartition("!")
    return (library, int(number))


def web_rules() -> list[Rule]:
    """The rules of all routes, for the description of the API."""
    app = Flask("simulator")
    for one in BLUEPRINTS:
        app.register_blueprint(one.blueprint)
    return list(app.url_map.iter_rules())


def web_app(state: State) -> Wsgi:
    """The Flask application; the API's alias prefixes are rewritten to the canonical one."""
    app = Flask("simulator")
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.extensions["simulator"] = state
    app.request_class = type(
        "PracticeRequest", (UploadRequest,), {"files_folder": state.files, "settings": state.settings}
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    for one in BLUEPRINTS:
        app.register_blueprint(one.blueprint)
    app.register_error_handler(RefusedError, refused)
    app.register_error_handler(HTTPException, _http_error)
    app.teardown_request(lambda _error: discard(request.environ))

    def rewrite_prefix(environ: dict[str, Any], start_response: Any) -> Any:
        path = environ["PATH_INFO"] = _SLASHES.sub("/", environ["PATH_INFO"])
        for alias in ALIASES:
            if path.startswith(alias):
                environ["PATH_INFO"] = "/work/api/v2/" + path[len(alias) :]
        return app.wsgi_app(environ, start_response)

    return rewrite_prefix


def _http_error(error: HTTPException) -> Any:
    """API errors use the envelope, all others a page."""
    if error.code is not None and error.code < 400:
        return error
    if request.path.startswith(("/work/api", "/_simulator")):
        code = "NRC_INVALID_PARAM" if error.code in (400, 405, 415) else "NRC_REFUSED"
        refusal = RefusedError(error.code or 500, code, error.description or error.name)
        return refused(not_found() if error.code == 404 else refusal)
    page = render_template("missing.html") if error.code == 404 else f"<h1>{error.code} {error.name}</h1>"
    return Response(page, error.code)
