"""The composition root: settings, extensions, rooms, error pages, commands. Imported by none."""

from __future__ import annotations

import atexit
import sys
from contextlib import ExitStack
from datetime import timedelta
from importlib import import_module
from typing import IO, Any

import click
from flask import Flask

import commands
import logs
from blueprints import assets, authorization, errors, htmx, nav, query_params, request_log, security_headers
from commands import serve
from commands.preflight import GIVE_IT
from config import Settings, SettingsError
from extensions import csrf, login_manager, migrate
from extensions import htmx as htmx_extension
from jobs import gc_tuning
from models import db, prepare_sqlite
from models.pool import CONNECT_SECONDS, ProcessPool, prepare_postgresql
from services.core import background_tasks, encryption, runtime
from services.mail import composers, outbox
from services.members import invitation_mail, invitations, lockout_mail
from services.monitoring import mail as monitoring_mail
from services.operations import database
from services.transfers import mail as transfer_mail
from storage import BlobStore, StorageError, open_store

BLUEPRINTS = (
    "auth",
    "account",
    "matters",
    "transfers",
    "oauth",
    "integrations",
    "troubleshooting",
    "members",
    "groups",
    "audit",
    "status",
)
FILE_CONNECTIONS = 20  # a worker's sixteen transfers and its own duties, or the web's sixteen threads


def create_app(settings: Settings | None = None) -> Flask:
    """The application of one installation. Raises SettingsError where a setting is wrong."""
    settings = settings or _settings()
    logs.configure(settings.log_level)
    app = Flask(__name__)
    _configure(app, settings)
    _extend(app)
    runtime.bind(runtime.Runtime(settings=settings, blobs=_store(settings)))
    background_tasks.bind(app.app_context)
    composers.register(
        {
            "transfer": transfer_mail.compose,
            monitoring_mail.KIND: monitoring_mail.compose,
            invitations.MAIL: invitation_mail.compose,
            outbox.LOCKOUT: lockout_mail.compose,
        }
    )
    for name in BLUEPRINTS:
        app.register_blueprint(import_module(f"blueprints.{name}.routes").bp)
    for part in (request_log, security_headers, authorization, htmx, query_params, nav, assets, errors):
        part.init_app(app)
    commands.init_app(app, settings, process=logs.process)
    return app


def create_web() -> Flask:
    """The same for a WSGI server, which does not start on another version's tables, nor with keys that do not fit."""
    app = create_app()
    with app.app_context():
        if refusal := serve.refusal():
            # An application that cannot be loaded ends gunicorn; one that exits is begun anew for ever.
            raise RuntimeError(refusal)
        database.share_as_web()
    running = ExitStack()
    running.enter_context(logs.process("web"))
    atexit.register(running.close)
    gc_tuning.started()
    gc_tuning.give_back_large()
    return app


class CannotStartError(click.ClickException):
    """In a terminal this is its sentence and exit status 1, without a traceback."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(self.message, file=file or sys.stderr)


def _settings() -> Settings:
    try:
        return Settings.from_env()
    except SettingsError as error:
        raise CannotStartError(str(error)) from None


def _store(settings: Settings) -> BlobStore:
    try:
        return open_store(settings.storage_url, spool=settings.data_dir / "spool")
    except (StorageError, OSError, ValueError) as error:
        said = f"Documents cannot be kept at {settings.storage_url}: {error.__cause__ or error}"
        raise CannotStartError(f"Counterpart cannot start. {said}\nCheck COUNTERPART_STORAGE_URL.") from None


def _configure(app: Flask, settings: Settings) -> None:
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        said = f"{settings.data_dir} cannot be made: {error.strerror}.\n{GIVE_IT}"
        raise CannotStartError(f"Counterpart cannot start. {said}") from None
    signing = [encryption.derive(key, "session").hex() for key in settings.secret_keys]
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=signing[0],
        SECRET_KEY_FALLBACKS=signing[1:],
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(settings),
        SESSION_COOKIE_NAME="__Host-counterpart" if settings.is_https else "counterpart",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.is_https,
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=timedelta(days=7),
        MAX_CONTENT_LENGTH=1024 * 1024,
        MAX_FORM_MEMORY_SIZE=1024 * 1024,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
    )


def _engine_options(settings: Settings) -> dict[str, Any]:
    # What a statement is given may be a name or a secret: no error repeats it.
    options: dict[str, Any] = {"hide_parameters": True}
    if settings.database_url.startswith("sqlite"):
        return {**options, "pool_size": FILE_CONNECTIONS}
    # A connection is tried before it is used: the first page after an outage does not pay for it.
    options |= {"poolclass": ProcessPool, "pool_pre_ping": True}
    named = {"application_name": "counterpart", "client_encoding": "utf8"}
    return {**options, "connect_args": {"connect_timeout": CONNECT_SECONDS, **named}}


def _extend(app: Flask) -> None:
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            prepare_sqlite(db.engine)
        else:
            prepare_postgresql(db.engine)
    migrate.init_app(app, db)
    htmx_extension.init_app(app)
    csrf.init_app(app)
    login_manager.init_app(app)
