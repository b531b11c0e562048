"""The composition root: settings, extensions, blueprints, error pages, commands. Only app.py imports it."""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from flask import Flask

import commands
import logs
from blueprints import assets, authorization, errors, htmx, nav, query_params, request_log, security_headers
from commands import serve
from commands.preflight import CannotStartError, make_data_dir, read_settings
from config import Settings, sqlite_file
from extensions import csrf, login_manager
from extensions import htmx as htmx_extension
from jobs import gc_tuning
from models import db, prepare_sqlite
from models.pool import CONNECT_SECONDS, ProcessPool, prepare_postgresql
from services.core import background_tasks, encryption, runtime
from services.drift import losses
from services.mail import messages, outbox
from services.matters import end_dates
from services.members import invitations
from services.members import mail as members_mail
from services.monitoring import mail as monitoring_mail
from services.operations import database
from services.transfers import mail as transfer_mail
from storage import BlobStore, StorageError, open_store

BLUEPRINTS = (
    "auth",
    "account",
    "matters",
    "transfers",
    "drift",
    "oauth",
    "integrations",
    "troubleshooting",
    "members",
    "groups",
    "audit",
    "status",
)
ROOT = Path(__file__).resolve().parent
FILE_CONNECTIONS = 20  # a worker's sixteen transfers and its own duties, or the web's sixteen threads


def compose(settings: Settings | None = None) -> Flask:
    """The application of one installation. Raises CannotStartError where a setting is wrong."""
    settings = settings or read_settings()
    logs.configure(settings.log_level)
    app = Flask("app", root_path=str(ROOT))
    _configure(app, settings)
    _extend(app)
    runtime.bind(runtime.Runtime(settings=settings, blobs=_store(settings)))
    background_tasks.bind(app.app_context)
    messages.register(
        {
            "transfer": transfer_mail.compose,
            monitoring_mail.KIND: monitoring_mail.compose,
            invitations.MAIL: members_mail.compose_invitation,
            losses.MAIL: losses.compose,
            outbox.LOCKOUT: members_mail.compose_lockout,
            end_dates.KIND: end_dates.compose,
        }
    )
    for name in BLUEPRINTS:
        app.register_blueprint(import_module(f"blueprints.{name}.routes").bp)
    for part in (request_log, security_headers, authorization, htmx, query_params, nav, assets, errors):
        part.init_app(app)
    app.extensions["process"] = logs.process
    commands.add_to(app)
    return app


def compose_web() -> Flask:
    """The same for a web process. Raises RuntimeError on another version's tables, or with keys that do not fit."""
    app = compose()
    with app.app_context():
        if refusal := serve.refusal():
            # An application that cannot be loaded ends gunicorn; one that exits is restarted for ever.
            raise RuntimeError(refusal)
        database.limit_web_process()
    running = ExitStack()
    running.enter_context(logs.process("web"))
    atexit.register(running.close)
    gc_tuning.freeze()
    gc_tuning.give_back_large()
    return app


def _store(settings: Settings) -> BlobStore:
    try:
        return open_store(settings.storage_url, spool=settings.data_dir / "spool")
    except (StorageError, OSError, ValueError) as error:
        said = f"Documents cannot be kept at {settings.storage_url}: {error.__cause__ or error}"
        raise CannotStartError(f"Counterpart cannot start. {said}\nCheck COUNTERPART_STORAGE_URL.") from None


def _configure(app: Flask, settings: Settings) -> None:
    make_data_dir(settings)
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
    if sqlite_file(settings.database_url) is not None:
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
    htmx_extension.init_app(app)
    csrf.init_app(app)
    login_manager.init_app(app)
