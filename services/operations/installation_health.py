"""Health checks of the installation, for the readiness endpoint and the doctor command."""

from __future__ import annotations

import os
import shutil
import socket
import stat
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from config import KEY_FILE, VERSION, Settings
from models import utcnow
from services.core import encryption
from services.core.runtime import runtime
from services.core.text.normalise import bytes_in_words
from services.core.unit_of_work import abandon, release, session
from services.mail import server_state, smtp
from services.matters import quotas
from services.operations import database, keys, schema, worker_heartbeats
from services.scanning.scanners import ScannerUnavailableError, scan
from services.servers import transport
from storage import StorageError

WORKER_TIMEOUT = timedelta(seconds=30)
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
DISK_FAIL, DISK_WARN = 256 * 1024**2, 5 * 1024**3
PROXY_SECONDS = 5.0
PROBE = b"A harmless test file of Counterpart."
OK, WARN, FAIL = "ok", "warn", "fail"

log = structlog.get_logger()


@dataclass(frozen=True)
class Check:
    """The result of one check: ok, warn or fail, what was found, and what to do about it. Contains no secret."""

    name: str
    state: str
    sentence: str
    next_step: str = ""


def readiness() -> tuple[Check, ...]:
    """The checks that decide whether this process can serve pages. The worker is not among them."""
    database = _database()
    if database.state == FAIL:
        return database, _store_readable()
    return database, _migrations(), _store_readable()


def all_checks() -> tuple[Check, ...]:
    """All checks that can run inside the installation, for its operators."""
    settings = runtime().settings
    ready = readiness()
    inside = (
        () if ready[0].state == FAIL or ready[1].state == FAIL else (_worker(), keys_fit(), *_connections())
    )
    return (
        _data_folder(settings),
        _key_file(settings),
        *ready,
        *inside,
        _storage(),
        *_disks(settings),
        *_scanner(),
        *(() if ready[0].state == FAIL else _quota()),
        public_url(settings),
        *_proxy(settings, has_tables=bool(inside)),
        *_mail(),
    )


def is_healthy(checks: Iterable[Check]) -> bool:
    return all(check.state != FAIL for check in checks)


def report(checks: Iterable[Check]) -> dict[str, object]:
    """The results as JSON. Names and states of checks are stable; sentences may change."""
    found = tuple(checks)
    return {"ok": is_healthy(found), "version": VERSION, "checks": [asdict(check) for check in found]}


def _database() -> Check:
    try:
        session().execute(text("SELECT 1"))
    except SQLAlchemyError:
        log.exception("health.database")
        abandon()
        return Check(
            "database",
            FAIL,
            "The database does not answer.",
            "Start it, and check COUNTERPART_DATABASE_URL and the privileges of its user.",
        )
    return Check("database", OK, "The database answers.")


def _migrations() -> Check:
    try:
        found = schema.mismatch()
    except SQLAlchemyError:
        log.exception("health.migrations")
        abandon()
        return Check(
            "migrations", FAIL, "The tables cannot be read.", "Check the privileges of the database user."
        )
    if found is None:
        return Check("migrations", OK, "The tables match this version.")
    return Check("migrations", FAIL, found.sentence, found.next_step)


def _worker() -> Check:
    seen, live = worker_heartbeats.latest(), worker_heartbeats.count_live()
    release()
    if seen is not None and utcnow() - seen < WORKER_TIMEOUT:
        sentence = "1 worker is running." if live < 2 else f"{live} workers are running."
        ago = max(0, round((utcnow() - seen).total_seconds()))
        return Check("worker", OK, f"{sentence} The last heartbeat was {ago} s ago.")
    sentence = "No worker has run yet." if seen is None else "No worker is running."
    return Check(
        "worker",
        FAIL,
        f"{sentence} Transfers wait until one starts.",
        "Start one: flask --app app worker",
    )


def _store_readable() -> Check:
    try:
        runtime().blobs.check()
    except (StorageError, OSError):
        log.exception("health.store_readable")
        return Check(
            "store",
            FAIL,
            "Documents cannot be read.",
            "Check COUNTERPART_STORAGE_URL and the store that it names.",
        )
    return Check("store", OK, "Documents can be read.")


def _disks(settings: Settings) -> tuple[Check, ...]:
    """Free space of each disk with documents or the database."""
    folders = [settings.data_dir]
    if settings.storage_url.startswith("file:"):
        folders.append(Path(urlsplit(settings.storage_url).path))
    there = {folder.stat().st_dev: folder for folder in reversed(folders) if folder.exists()}
    return tuple(_disk(folder) for folder in there.values())


def _scanner() -> tuple[Check, ...]:
    """Whether the virus scanner answers, if there is one."""
    url = runtime().settings.scan
    if not url:
        return ()
    try:
        found = scan(url, [PROBE], len(PROBE))
    except ScannerUnavailableError as error:
        sentence = f"The virus scanner does not answer ({error}), so no files can be added."
        return (Check("scanner", FAIL, sentence, "Start it, or correct COUNTERPART_SCAN."),)
    if found is not None:
        sentence = f"The virus scanner reports {found} in a harmless test file."
        return (Check("scanner", FAIL, sentence, "Check the scanner and COUNTERPART_SCAN."),)
    return (Check("scanner", OK, "The virus scanner answers."),)


def _quota() -> tuple[Check, ...]:
    """How much of the storage limit is used, if there is one."""
    use = quotas.installation_use()
    if use is None:
        return ()
    state = FAIL if use.is_full else WARN if use.is_near else OK
    sentence = f"{bytes_in_words(use.used)} of {bytes_in_words(use.limit)} is used."
    next_step = "" if state == OK else "Raise COUNTERPART_QUOTA_BYTES, or delete documents."
    return (Check("quota", state, sentence, next_step),)


def _disk(folder: Path) -> Check:
    usage = shutil.disk_usage(folder)
    sentence = f"{usage.free / 1e9:.1f} of {usage.total / 1e9:.1f} GB are free on the disk of {folder}."
    state = FAIL if usage.free < DISK_FAIL else WARN if usage.free < DISK_WARN else OK
    return Check(
        "disk", state, sentence, "" if state == OK else "Free disk space, or move the data to a larger disk."
    )


def _storage() -> Check:
    """Write and delete a small blob: the only proof of the permissions for both."""
    blobs = runtime().blobs
    try:
        with blobs.writer() as file:
            file.write(os.urandom(32))
            sha256 = file.publish().sha256
        blobs.size(sha256)
        blobs.delete(sha256)
    except (StorageError, OSError):
        log.exception("health.storage")
        return Check(
            "storage",
            FAIL,
            "Documents cannot be written.",
            "Check COUNTERPART_STORAGE_URL, the free space and the permissions of the user that runs Counterpart.",
        )
    return Check("storage", OK, "Documents can be written.")


def _mail() -> tuple[Check, ...]:
    """Whether the mail server accepts email from us, if there is one."""
    if not server_state.is_set_up():
        return ()
    if (error := smtp.probe()) is None:
        return (Check("mail", OK, "The mail server accepts email from Counterpart."),)
    return (Check("mail", FAIL, f"{error.reason} Emails are kept and will be sent later.", error.next_step),)


def _proxy(settings: Settings, *, has_tables: bool) -> tuple[Check, ...]:
    """Whether the outbound proxy accepts connections; without one, the servers that are to be reached through one."""
    if not settings.outbound_proxy:
        names = transport.without_proxy() if has_tables else ()
        if not names:
            return ()
        sentence = f"No proxy is set, and these servers are to be reached through one: {', '.join(names)}."
        return (
            Check("outbound proxy", FAIL, sentence, "Set COUNTERPART_OUTBOUND_PROXY, or change their route."),
        )
    at = transport.proxy_address()
    try:
        with socket.create_connection(
            (urlsplit(settings.outbound_proxy).hostname, urlsplit(settings.outbound_proxy).port),
            PROXY_SECONDS,
        ):
            pass
    except OSError as error:
        sentence = f"The outbound proxy {at} cannot be reached: {error.strerror or error}."
        return (Check("outbound proxy", FAIL, sentence, "Start it, or correct COUNTERPART_OUTBOUND_PROXY."),)
    return (Check("outbound proxy", OK, f"The outbound proxy {at} accepts connections."),)


def _data_folder(settings: Settings) -> Check:
    folder = settings.data_dir
    try:
        probe = folder / f".probe-{utcnow().timestamp()}"
        probe.touch(mode=0o600)
        probe.unlink()
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError:
        return Check(
            "data folder",
            FAIL,
            f"{folder} is not writable.",
            "Make it writable for the user that runs Counterpart.",
        )
    if mode & 0o077:
        return Check(
            "data folder",
            WARN,
            f"Other users of this machine can access {folder} (mode {mode:o}).",
            f"Run: chmod 700 {folder}",
        )
    return Check("data folder", OK, f"{folder} is writable and private.")


def _key_file(settings: Settings) -> Check:
    path = settings.data_dir / KEY_FILE
    if not path.exists():
        return Check("keys", OK, "The keys come from COUNTERPART_SECRET_KEYS.")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o177:
        return Check(
            "keys",
            FAIL,
            f"{path} has mode {mode:o}, so other users of this machine can read the keys.",
            f"Run: chmod 600 {path}",
        )
    return Check("keys", OK, f"Only the owner can read {path}.")


def keys_fit() -> Check:
    """Whether the keys of this process decrypt every stored secret."""
    try:
        if problem := keys.refusal():
            sentence, _, next_step = problem.partition("\n")
            return Check("encryption keys", FAIL, sentence, next_step)
        counts = keys.check()
    except SQLAlchemyError:
        log.exception("health.keys")
        abandon()
        return Check("encryption keys", FAIL, "Stored secrets could not be read.", "See the checks above.")
    lost = sum(count.lost for count in counts if not encryption.SEALED_COLUMNS[count.place])
    older = sum(count.older for count in counts)
    if lost:
        return Check(
            "encryption keys",
            FAIL,
            f"{lost} stored secrets cannot be decrypted.",
            "Run: flask --app app keys check",
        )
    if older:
        sentence = f"{older} stored secrets use an older key."
        return Check("encryption keys", WARN, sentence, "Run: flask --app app keys rotate")
    return Check("encryption keys", OK, "All stored secrets can be decrypted.")


def _connections() -> tuple[Check, ...]:
    """Whether the database server has enough connections for the processes of this installation."""
    try:
        found = database.capacity()
    except SQLAlchemyError:
        log.exception("health.connections")
        abandon()
        return ()
    if found is None:
        return ()
    web, worker = database.web_pool(), database.worker_pool()
    workers = f"{found.workers} worker{'' if found.workers == 1 else 's'} with {worker} each"
    counted = f"{workers} and a web process with {web} can use {found.needed - database.COMMANDS} connections"
    if found.is_pooled:
        sentence = f"The database is behind a pooler such as PgBouncer. {counted} to it."
        return (Check("connections", OK, sentence),)
    if found.needed <= found.available:
        return (Check("connections", OK, f"The database has {found.available} connections; {counted}."),)
    return (
        Check(
            "connections",
            WARN,
            f"The database has {found.available} connections; {counted}, and commands {database.COMMANDS} more.",
            f"Raise max_connections of PostgreSQL to {found.needed + 3} or more, or lower COUNTERPART_DATABASE_POOL.",
        ),
    )


def public_url(settings: Settings) -> Check:
    host = urlsplit(settings.public_url).hostname or ""
    if settings.is_https:
        return Check("public URL", OK, f"{settings.public_url} is https.")
    if host in LOOPBACK and settings.host in LOOPBACK:
        return Check("public URL", OK, f"{settings.public_url} can be reached only from this machine.")
    return Check(
        "public URL",
        WARN,
        f"{settings.public_url} is not https, so passwords and documents are sent unencrypted.",
        "Put a proxy with a certificate in front of Counterpart and set COUNTERPART_PUBLIC_URL to its address.",
    )
