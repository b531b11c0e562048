"""The practice server as a whole: the world, the dials and the front door, started and stopped together."""

from __future__ import annotations

import shutil
import ssl
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException

from simulator import (
    containers,
    control,
    discovery,
    documents,
    downloads,
    libraries,
    locks,
    oauth,
    pages,
    uploads,
)
from simulator.faults import FaultBook
from simulator.incoming import UploadRequest, discard
from simulator.keeper import Keeper
from simulator.rows import container_from, container_row, document_from, document_row
from simulator.seed import practice_world
from simulator.settings import Settings
from simulator.state import Request, State
from simulator.tokens import Tokens
from simulator.values import App, Container, Document, Key
from simulator.web import RefusedError, not_found, refused
from simulator.wire import Door, Wsgi
from simulator.world import World

ALIASES = ("/work/web/api/v2/", "/api/v2/")
ROOMS = (oauth, discovery, libraries, containers, documents, downloads, uploads, locks, pages, control)


class Simulator:
    """`with Simulator() as sim:` gives a running practice server at `sim.url`.

    Without `data_dir` everything lies in a passing folder; with it, a restart finds what was there.
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
        self._given, self._tls = (host, port), tls
        self._data_dir = Path(data_dir) if data_dir else None
        self._control_token, self._quiet = control_token, quiet
        self.world = world or practice_world()
        self.settings = settings or Settings()
        self.faults = FaultBook()
        self._passing: Path | None = None

    def start(self) -> Self:
        if self._data_dir is None:
            self._passing = Path(tempfile.mkdtemp(prefix="practice-imanage-"))
        folder = self._data_dir or self._passing or Path()
        files = folder / "files"
        files.mkdir(parents=True, exist_ok=True)
        for left_over in files.glob("incoming-*"):
            left_over.unlink()
        self._keeper = Keeper(folder / "practice.sqlite")
        _restore(self.world, self.settings, self._keeper, files)
        self.world.watcher = _Watcher(self._keeper)
        self.tokens = Tokens(self.settings, self._keeper)
        self._state = State(
            self.world,
            self.settings,
            self.faults,
            self.tokens,
            self._keeper,
            files,
            self._control_token,
            self._quiet,
        )
        try:
            self._door = Door(*self._given, web_app(self._state), self._state, self._tls)
        except OSError:
            self._put_away()
            raise
        self.port = self._door.address[1]
        host = f"[{self._given[0]}]" if ":" in self._given[0] else self._given[0]
        self.url = f"{'https' if self._tls else 'http'}://{host}:{self.port}"
        self._doors = [self._door]
        self._door.start()
        return self

    def show_beside(self, app: Wsgi) -> str:
        """Another application at an address of its own, with this server's latency, faults and log. Says where."""
        self._doors.append(Door(self._given[0], 0, app, self._state))
        self._doors[-1].start()
        host, port = self._doors[-1].address
        return f"http://{host}:{port}"

    def stop(self) -> None:
        for door in self._doors:
            door.stop()
        self._put_away()

    def _put_away(self) -> None:
        self.world.watcher = None
        self._keeper.close()
        if self._passing:
            shutil.rmtree(self._passing, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def requests(self) -> list[Request]:
        """Every call so far, in the order of arrival; control calls are left out."""
        return self._state.requests

    def forget_requests(self) -> None:
        self._state.log.clear()

    def token_for(self, user: str, client_id: str = "") -> str:
        """A live access token without the sign-in."""
        found = self.world.user(user)
        if found is None:
            raise KeyError(user)
        return self.tokens.issue("access", found.id, client_id or self.world.apps[0].client_id)

    def expire_tokens(self, user: str = "") -> int:
        """End all access tokens now, or one user's. Refresh tokens stay."""
        return self.tokens.forget_all("access", user)

    def revoke(self, user: str = "") -> None:
        """End access and refresh tokens, as an administrator would."""
        for kind in ("access", "refresh"):
            self.tokens.forget_all(kind, user)

    def files(self) -> Iterable[Path]:
        """Uploaded bytes on disk, and nothing else."""
        return sorted(self._state.files.iterdir())


class _Watcher:
    """Writes down every change to the world. What is as in the seed is never written."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper

    def __call__(self, kind: str, key: Key, value: Container | Document | None) -> None:
        name = f"{key[0]}!{key[1]}"
        row = None
        if isinstance(value, Document):
            row = document_row(value)
        elif isinstance(value, Container):
            row = container_row(value)
        self._keeper.put(kind, name, row)


def _restore(world: World, settings: Settings, keeper: Keeper, files: Path) -> None:
    """Lay what was kept over the seed: containers first, then documents, then what was removed."""
    gone: list[Any] = []
    containers_kept = [(_key(name), row) for name, row in keeper.all("container").items()]
    for key, row in sorted(containers_kept, key=lambda one: one[0]):
        if row:
            world.put_container(container_from(row))
        else:
            gone.append(world.container(*key))
    for name, row in keeper.all("document").items():
        if row:
            world.put_document(document_from(row, files))
        else:
            gone.append(world.document(*_key(name)))
    for thing in gone:
        if isinstance(thing, Document):
            world.remove_document(thing)
        elif isinstance(thing, Container):
            world.remove_folder(thing)
    if kept := keeper.all("settings").get("all"):
        settings.update(kept)
    for row in keeper.all("app").values():
        world.add_app(App(**row | {"redirect_uris": tuple(row["redirect_uris"])}))


def _key(name: str) -> Key:
    library, _, number = name.rpartition("!")
    return (library, int(number))


def web_app(state: State) -> Wsgi:
    """The Flask application behind the door, with the API's other prefixes led to the canonical one."""
    app = Flask("simulator")
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.extensions["simulator"] = state
    app.request_class = type("PracticeRequest", (UploadRequest,), {"files_folder": state.files})
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    for one in ROOMS:
        app.register_blueprint(one.room)
    app.register_error_handler(RefusedError, refused)
    app.register_error_handler(HTTPException, _http_error)
    app.teardown_request(lambda _error: discard(request.environ))

    def lead(environ: dict[str, Any], start_response: Any) -> Any:
        path = environ["PATH_INFO"]
        for alias in ALIASES:
            if path.startswith(alias):
                environ["PATH_INFO"] = "/work/api/v2/" + path[len(alias) :]
        return app.wsgi_app(environ, start_response)

    return lead


def _http_error(error: HTTPException) -> Any:
    """The API answers in its envelope, everything else with a page."""
    if error.code is not None and error.code < 400:
        return error
    if request.path.startswith(("/work/api", "/_simulator")):
        code = "NRC_INVALID_PARAM" if error.code in (400, 405, 415) else "NRC_REFUSED"
        refusal = RefusedError(error.code or 500, code, error.description or error.name)
        return refused(not_found() if error.code == 404 else refusal)
    page = render_template("missing.html") if error.code == 404 else f"<h1>{error.code} {error.name}</h1>"
    return Response(page, error.code)
