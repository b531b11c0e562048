"""The practice server: the bundled practice iManage as a server for training, labelled on every page."""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import exists as sql_exists
from sqlalchemy import select

from models import Server, new_id
from services.access import permissions
from services.core.actor import Actor
from services.core.errors import ConflictError, InvalidError
from services.core.runtime import runtime
from services.core.text.normalise import fold
from services.core.unit_of_work import session, unit_of_work
from services.guidance.refusals import refusal
from services.servers import transport, validation
from services.servers.registry import SavedServer, record

NAME = "Practice iManage"
CLIENT_ID = "counterpart-practice"
FOLDER = "practice"
HOST = "127.0.0.1"
USERS = ("alice", "bram", "carol", "dmitri", "emi", "farid")


@dataclass(frozen=True)
class Start:
    """The arguments of the practice process."""

    port: int
    public_url: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_url: str
    folder: Path


@dataclass(frozen=True)
class PracticeUser:
    """A user of the practice iManage. The password is not secret: there are no real documents."""

    user: str
    password: str


def users() -> tuple[PracticeUser, ...]:
    return tuple(PracticeUser(user, f"{user}-practice") for user in USERS)


def exists(actor: Actor) -> bool:
    permissions.require_admin(actor)
    return bool(session().scalar(select(sql_exists().where(Server.is_practice))))


def add(actor: Actor) -> SavedServer:
    """Add the practice server, switched off. Raises ConflictError where there is one already."""
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
        with validation.unique(row.kind, row.name, row.url), unit_of_work() as writing:
            writing.add(row)
            writing.flush()
            record(actor, "server.practice_added", row, url=row.url)
    except InvalidError as taken:
        raise refusal(ConflictError, "server.practice_there", name=NAME) from taken
    return SavedServer(server_id, NAME)


def to_run() -> Start | None:
    """The practice process that should run now, None where no practice server is switched on."""
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


def delete_data(server_id: UUID) -> None:
    """Delete the data of a removed practice server."""
    shutil.rmtree(folder_of(server_id), ignore_errors=True)
