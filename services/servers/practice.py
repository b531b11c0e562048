"""The practice server: the bundled practice iManage as a server for training, marked as such everywhere."""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import exists, select

from models import Server, new_id
from services.access import permissions
from services.core.actor import Actor
from services.core.errors import ConflictError, InvalidError
from services.core.runtime import runtime
from services.core.text.normalise import fold
from services.core.unit_of_work import session, unit_of_work
from services.servers import transport, validation
from services.servers.registry import Saved, record

NAME = "Practice iManage"
CLIENT_ID = "counterpart-practice"
FOLDER = "practice"
HOST = "127.0.0.1"
USERS = ("alice", "bram", "carol", "dmitri", "emi", "farid")


@dataclass(frozen=True)
class Start:
    """What the process must be started with."""

    port: int
    public_url: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_url: str
    folder: Path


@dataclass(frozen=True)
class PracticeUser:
    """Somebody of the practice iManage. Nothing here is secret: no real document is behind it."""

    user: str
    password: str


def users() -> tuple[PracticeUser, ...]:
    return tuple(PracticeUser(user, f"{user}-practice") for user in USERS)


def is_there(actor: Actor) -> bool:
    permissions.require_admin(actor)
    return bool(session().scalar(select(exists().where(Server.is_practice))))


def add(actor: Actor) -> Saved:
    """Put the practice server on record, switched off. There is one at most.

    Raises ConflictError where it cannot be.
    """
    permissions.require_admin(actor)
    settings = runtime().settings
    api_url = f"http://{HOST}:{settings.practice_port}"
    server_id = new_id()
    row = Server(
        id=server_id,
        kind=transport.ON_PREMISE,
        name=NAME,
        name_key=fold(NAME),
        url=settings.practice_url,
        api_url=api_url,
        client_id=CLIENT_ID,
        client_secret=transport.seal_secret(server_id, secrets.token_hex(16)),
        redirect_url=settings.redirect_url,
        is_practice=True,
    )
    try:
        validation.check_free(row.kind, row.name, row.url)
        with validation.unique(row.kind, row.name, row.url), unit_of_work() as writing:
            writing.add(row)
            writing.flush()
            record(actor, "server.practice_added", row, url=row.url)
    except InvalidError as taken:
        raise ConflictError(
            f"There is a server named “{NAME}”, or one at its address, already.",
            code="server.practice_there",
            next_step="Use that one, or rename or remove it first.",
        ) from taken
    return Saved(server_id, NAME)


def to_run() -> Start | None:
    """For whoever starts processes: what should run now, None where no practice server is switched on."""
    row = session().scalar(select(Server).where(Server.is_practice, Server.is_enabled).limit(1))
    if row is None:
        return None
    known = transport.credentials(row)
    return Start(
        port=urlsplit(row.api_url).port or 80,
        public_url=row.url,
        client_id=known.client_id,
        client_secret=known.client_secret,
        redirect_url=runtime().settings.redirect_url,
        folder=folder_of(row.id),
    )


def folder_of(server_id: UUID) -> Path:
    return runtime().settings.data_dir / FOLDER / server_id.hex


def forget(server_id: UUID) -> None:
    """Delete what the practice iManage kept for a server that is removed."""
    shutil.rmtree(folder_of(server_id), ignore_errors=True)
