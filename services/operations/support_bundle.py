"""The support bundle: a zip for people who help from outside, without secrets and names of documents.

Its content is an allow list. As a second safeguard, every secret of this installation is searched for in the output
and removed.
"""

from __future__ import annotations

import base64
import io
import json
import platform
import re
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from importlib import metadata
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from sqlalchemy import Select, func, select

from config import VERSION, Settings
from models import Connection, Server, ServerCheck, ServerCircuit, ServerHealthDay, TransferItem, utcnow
from models import Transfer as TransferRow
from services.access import permissions
from services.core import audit, encryption
from services.core.actor import Actor
from services.core.runtime import runtime
from services.core.unit_of_work import session, unit_of_work
from services.monitoring import check_report, check_runs
from services.operations import installation_health, schema
from services.servers import transport
from services.servers.transport import SECRET_COLUMN

HISTORY = timedelta(days=30)
REDACTED = "[removed]"
SHORTEST_SECRET = 6
LIBRARIES = (
    "Flask",
    "Werkzeug",
    "SQLAlchemy",
    "Authlib",
    "requests",
    "urllib3",
    "cryptography",
    "psycopg",
    "waitress",
    "gunicorn",
    "obstore",
)
PLAIN_SETTINGS = (
    "public_url",
    "api_url",
    "host",
    "port",
    "imanage_ports",
    "imanage_allow_http",
    "imanage_networks",
    "imanage_domains",
    "cloud_domain",
    "outbound_ips",
    "outbound_proxy",
    "no_proxy",
    "trusted_proxies",
    "max_document_bytes",
    "quota_bytes",
    "scan",
    "quota_matter_bytes",
    "quota_member_bytes",
)
SERVER_COLUMNS = (
    "id",
    "kind",
    "name",
    "subdomain",
    "url",
    "api_url",
    "client_id",
    "ca_pem",
    "route",
    "is_enabled",
    "is_restricted",
    "at_once",
    "pace",
    "created_at",
    "changed_at",
)
DAY_COLUMNS = ("day", "healthy", "warning", "failing", "seconds")
_USERINFO = re.compile(r"(?<=://)[^/\s@]+@")
README = """This is a support bundle of Counterpart.

report.txt, report.json   the latest check of each iManage server
health.json               the state of each server over the last 30 days
servers.json              the configuration of the servers, without secrets
errors.json               error codes of transfers, counted; circuit breakers of servers
settings.json             the settings, without passwords and keys
versions.json             Counterpart, Python, libraries, operating system, tables
installation.json         the checks of `flask --app app doctor`

It contains no Client Secret, token, password or key, and no name of a matter or document. It names people who
started a check, or whose sign-in was checked.
"""


def bundle(actor: Actor) -> tuple[str, bytes]:
    """The zip and its file name. The download is audited."""
    permissions.require_admin(actor)
    servers = session().scalars(select(Server).order_by(Server.name_key)).all()
    runs = [run for server in servers if (run := check_runs.latest(actor, server.id))]
    members = {
        "README.txt": README,
        "report.txt": "\n\n".join(map(check_report.report_text, runs)) or "No server has been checked yet.\n",
        "report.json": _json([_run(run) for run in runs]),
        "health.json": _json({server.name: _health_history(server) for server in servers}),
        "servers.json": _json([_server(server) for server in servers]),
        "errors.json": _json({"items": _item_errors(), "pauses": _pauses()}),
        "settings.json": _json(_settings(runtime().settings)),
        "versions.json": _json(_versions()),
        "installation.json": _json([asdict(check) for check in installation_health.all_checks()]),
    }
    secrets = sorted(set(_secrets(runtime().settings)), key=len, reverse=True)
    with unit_of_work():
        audit.record(actor, "support_bundle.downloaded", "Support bundle")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in members.items():
            file.writestr(name, _redacted(text, secrets))
    return f"counterpart-support-{utcnow():%Y-%m-%d}.zip", content.getvalue()


def _run(run: check_runs.RunView) -> dict[str, Any]:
    return {
        "server": run.server_name,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "state": run.state,
        "results": [asdict(result) for result in run.results],
    }


def _health_history(server: Server) -> dict[str, Any]:
    """Daily counts, and the checks that are still stored."""
    days = session().scalars(
        select(ServerHealthDay)
        .where(ServerHealthDay.server_id == server.id, ServerHealthDay.day > (utcnow() - HISTORY).date())
        .order_by(ServerHealthDay.day)
    )
    rows = session().execute(
        select(ServerCheck.started_at, ServerCheck.state, ServerCheck.code)
        .where(ServerCheck.server_id == server.id, ServerCheck.started_at > utcnow() - HISTORY)
        .order_by(ServerCheck.started_at)
    )
    return {
        "days": [{name: getattr(day, name) for name in DAY_COLUMNS} for day in days],
        "checks": [{"at": at, "state": state, "code": code} for at, state, code in rows],
    }


def _server(server: Server) -> dict[str, Any]:
    return {name: getattr(server, name) for name in SERVER_COLUMNS} | {
        "has_client_secret": bool(server.client_secret),
        "uses_proxy": transport.uses_proxy(server),
    }


def _item_errors() -> list[dict[str, Any]]:
    """How often each error code occurred, and when last. Without sentences, which may contain document names."""
    last = func.max(TransferItem.state_at)
    query = (
        select(TransferRow.server_name, TransferRow.kind, TransferItem.error_code, func.count(), last)
        .join(TransferRow)
        .where(TransferItem.error_code != "")
        .group_by(TransferRow.server_name, TransferRow.kind, TransferItem.error_code)
        .order_by(last.desc())
        .limit(500)
    )
    return _table(("server", "kind", "code", "count", "last_at"), query)


def _pauses() -> list[dict[str, Any]]:
    circuit = ServerCircuit.code, ServerCircuit.failures, ServerCircuit.failed_at, ServerCircuit.open_until
    names = ("server", "code", "failures", "failed_at", "until")
    return _table(names, select(Server.name, *circuit).join(ServerCircuit))


def _table(names: Sequence[str], query: Select[*tuple[Any, ...]]) -> list[dict[str, Any]]:
    return [dict(zip(names, row, strict=True)) for row in session().execute(query)]


def _settings(settings: Settings) -> dict[str, Any]:
    database, storage, smtp = map(urlsplit, (settings.database_url, settings.storage_url, settings.smtp_url))
    return {name: getattr(settings, name) for name in PLAIN_SETTINGS} | {
        "database": {"scheme": database.scheme, "host": _host(database)},
        "storage": {"scheme": storage.scheme, "place": storage.hostname or ""},
        "smtp": {"scheme": smtp.scheme, "host": _host(smtp)},
        "outbound_proxy_signs_in": any(settings.outbound_proxy_login),
        "secret_keys": f"{len(settings.secret_keys)} kept",
        "has_cloud_registration": bool(settings.cloud_client_id),
    }


def _host(parts: SplitResult) -> str:
    return f"{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}"


def _versions() -> dict[str, Any]:
    return {
        "counterpart": VERSION,
        "python": sys.version,
        "platform": platform.platform(),
        "database": session().get_bind().dialect.name,
        "tables": sorted(schema.installed()),
        "libraries": {name: metadata.version(name) for name in LIBRARIES},
    }


def _secrets(settings: Settings) -> Iterator[str]:
    """Every secret that could be in the output by mistake, plain and URL-encoded."""
    yield from settings.secret_keys
    yield settings.cloud_client_secret
    yield settings.outbound_proxy_login[1]
    if any(settings.outbound_proxy_login):
        yield base64.b64encode(":".join(settings.outbound_proxy_login).encode()).decode()
    for url in (settings.database_url, settings.storage_url, settings.smtp_url):
        password = urlsplit(url).password or ""
        yield from (password, unquote(password))
    for server in session().scalars(select(Server)):
        yield from _decrypted(server.client_secret, *SECRET_COLUMN, server.id)
    for row in session().scalars(select(Connection)):
        yield from _decrypted(row.access_token, "connection", "access_token", row.id)
        yield from _decrypted(row.refresh_token or "", "connection", "refresh_token", row.id)


def _decrypted(sealed: str, table: str, column: str, row_id: Any) -> Iterator[str]:
    try:
        yield encryption.unseal(sealed, table, row_id, column)
    except encryption.DecryptionError:
        return


def _redacted(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        if len(secret) >= SHORTEST_SECRET:
            for form in (secret, json.dumps(secret, ensure_ascii=False)[1:-1]):
                text = text.replace(form, REDACTED)
    return _USERINFO.sub(f"{REDACTED}@", text)


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=_plain) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return sorted(value) if isinstance(value, frozenset) else str(value)
