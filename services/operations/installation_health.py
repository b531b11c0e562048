"""Whether the installation can do its work: the checks behind the readiness page and the doctor command."""

from __future__ import annotations

import os
import shutil
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
from storage import StorageError

WORKER_SILENT = timedelta(seconds=30)
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
NO_ROOM, LITTLE_ROOM = 256 * 1024**2, 5 * 1024**3
PROBE = b"Counterpart says hello."
OK, WARN, FAIL = "ok", "warn", "fail"

log = structlog.get_logger()


@dataclass(frozen=True)
class Check:
    """One thing looked at: ok, warn or fail, what was found, and what to do about it. Holds no secret."""

    name: str
    state: str
    sentence: str
    next_step: str = ""


def readiness() -> tuple[Check, ...]:
    """What must hold for this process to serve pages. A worker that rests is no reason to send people elsewhere."""
    database = _database()
    if database.state == FAIL:
        return database, _store_readable()
    return database, _migrations(), _store_readable()


def all_checks() -> tuple[Check, ...]:
    """Everything that can be looked at from inside: for whoever runs the installation."""
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
        *_mail(),
    )


def is_healthy(checks: Iterable[Check]) -> bool:
    return all(check.state != FAIL for check in checks)


def report(checks: Iterable[Check]) -> dict[str, object]:
    """The same for programs. Names of checks and states stay; sentences may change."""
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
            "Start it, and check COUNTERPART_DATABASE_URL and the rights of its user.",
        )
    return Check("database", OK, "The database answers.")


def _migrations() -> Check:
    try:
        found = schema.mismatch()
    except SQLAlchemyError:
        log.exception("health.migrations")
        abandon()
        return Check(
            "migrations", FAIL, "The tables cannot be read.", "Check the rights of the database’s user."
        )
    if found is None:
        return Check("migrations", OK, "The tables are those of this version.")
    return Check("migrations", FAIL, found.sentence, found.next_step)


def _worker() -> Check:
    seen, living = worker_heartbeats.latest(), worker_heartbeats.count_live()
    release()
    if seen is not None and utcnow() - seen < WORKER_SILENT:
        sentence = "A worker is at work." if living < 2 else f"{living} workers are at work."
        ago = max(0, round((utcnow() - seen).total_seconds()))
        return Check("worker", OK, f"{sentence} The last beat was {ago} s ago.")
    sentence = "No worker has been heard of." if seen is None else "The workers have fallen silent."
    return Check(
        "worker",
        FAIL,
        f"{sentence} Documents wait until one starts.",
        "Start one: flask --app app worker",
    )


def _store_readable() -> Check:
    try:
        runtime().blobs.check()
    except (StorageError, OSError):
        log.exception("health.store_readable")
        return Check(
            "store", FAIL, "Documents cannot be read.", "Check COUNTERPART_STORAGE_URL and what it leads to."
        )
    return Check("store", OK, "Documents can be read.")


def _disks(settings: Settings) -> tuple[Check, ...]:
    """The room that is left where documents and rows are written on this machine, each disk once."""
    folders = [settings.data_dir]
    if settings.storage_url.startswith("file:"):
        folders.append(Path(urlsplit(settings.storage_url).path))
    there = {folder.stat().st_dev: folder for folder in reversed(folders) if folder.exists()}
    return tuple(_disk(folder) for folder in there.values())


def _scanner() -> tuple[Check, ...]:
    """Whether the virus scanner answers, where there is one."""
    url = runtime().settings.scan
    if not url:
        return ()
    try:
        found = scan(url, [PROBE], len(PROBE))
    except ScannerUnavailableError as error:
        sentence = f"The virus scanner gives no answer ({error}), so no file comes in."
        return (Check("scanner", FAIL, sentence, "Start it, or put COUNTERPART_SCAN right."),)
    if found is not None:
        sentence = f"The virus scanner finds {found} in a file that says hello."
        return (Check("scanner", FAIL, sentence, "Put the scanner or COUNTERPART_SCAN right."),)
    return (Check("scanner", OK, "The virus scanner answers."),)


def _quota() -> tuple[Check, ...]:
    """How much of the installation's limit is used, where it has one."""
    use = quotas.installation_use()
    if use is None:
        return ()
    state = FAIL if use.is_full else WARN if use.is_near else OK
    sentence = f"{bytes_in_words(use.used)} of {bytes_in_words(use.limit)} are used."
    next_step = "" if state == OK else "Raise COUNTERPART_QUOTA_BYTES, or make room."
    return (Check("quota", state, sentence, next_step),)


def _disk(folder: Path) -> Check:
    room = shutil.disk_usage(folder)
    sentence = f"{room.free / 1e9:.1f} of {room.total / 1e9:.1f} GB are free where {folder} lies."
    state = FAIL if room.free < NO_ROOM else WARN if room.free < LITTLE_ROOM else OK
    return Check(
        "disk", state, sentence, "" if state == OK else "Make room, or move the data to a larger disk."
    )


def _storage() -> Check:
    """A few random bytes there and away again: the only proof that there are the rights for both."""
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
            "Check COUNTERPART_STORAGE_URL, the free space and the rights of the user that runs Counterpart.",
        )
    return Check("storage", OK, "Documents can be written.")


def _mail() -> tuple[Check, ...]:
    """Where a mail server is set up: whether it would take a mail from us now."""
    if not server_state.is_set_up():
        return ()
    if (error := smtp.probe()) is None:
        return (Check("mail", OK, "The mail server takes mail from us."),)
    return (Check("mail", FAIL, f"{error.reason} Mails wait.", error.next_step),)


def _data_folder(settings: Settings) -> Check:
    folder = settings.data_dir
    try:
        probe = folder / f".probe-{utcnow().timestamp()}"
        probe.touch(mode=0o600)
        probe.unlink()
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError:
        return Check(
            "data folder", FAIL, f"{folder} cannot be written.", "Give it to the user that runs Counterpart."
        )
    if mode & 0o077:
        return Check(
            "data folder",
            WARN,
            f"{folder} is open to other users of this machine (mode {mode:o}).",
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
            f"{path} has mode {mode:o}: others on this machine may read the keys.",
            f"Run: chmod 600 {path}",
        )
    return Check("keys", OK, f"{path} is readable by its owner only.")


def keys_fit() -> Check:
    """Whether every sealed value opens with the keys of this process."""
    try:
        if said := keys.refusal():
            sentence, _, next_step = said.partition("\n")
            return Check("keys fit", FAIL, sentence, next_step)
        counts = keys.check()
    except SQLAlchemyError:
        log.exception("health.keys")
        abandon()
        return Check("keys fit", FAIL, "What is sealed could not be read.", "See the checks above.")
    lost = sum(count.lost for count in counts if not encryption.SEALED_COLUMNS[count.place])
    older = sum(count.older for count in counts)
    if lost:
        return Check(
            "keys fit", FAIL, f"{lost} sealed values do not open.", "Run: flask --app app keys check"
        )
    if older:
        sentence = f"{older} values are sealed with an older key."
        return Check("keys fit", WARN, sentence, "Run: flask --app app keys rotate")
    return Check("keys fit", OK, "Every sealed value opens.")


def _connections() -> tuple[Check, ...]:
    """Whether the database server has connections enough for the processes of this installation."""
    try:
        found = database.capacity()
    except SQLAlchemyError:
        log.exception("health.connections")
        abandon()
        return ()
    if found is None:
        return ()
    web, worker = database.web_pool(), database.worker_pool()
    living = f"{found.living} {'worker' if found.living == 1 else 'workers'} of {worker}"
    counted = f"{living} and a web process of {web} may come to hold {found.needs - database.COMMANDS}"
    if found.is_pooled:
        sentence = f"A pooler such as PgBouncer stands before the database. {counted} connections to it."
        return (Check("connections", OK, sentence),)
    if found.needs <= found.has:
        return (Check("connections", OK, f"The database gives {found.has} connections; {counted}."),)
    return (
        Check(
            "connections",
            WARN,
            f"The database gives {found.has} connections; {counted}, and {database.COMMANDS} more are for commands.",
            f"Raise PostgreSQL’s max_connections to {found.needs + 3} or more, or set COUNTERPART_DATABASE_POOL lower.",
        ),
    )


def public_url(settings: Settings) -> Check:
    host = urlsplit(settings.public_url).hostname or ""
    if settings.is_https:
        return Check("public URL", OK, f"{settings.public_url} is https.")
    if host in LOOPBACK and settings.host in LOOPBACK:
        return Check("public URL", OK, f"{settings.public_url} is for this machine only.")
    return Check(
        "public URL",
        WARN,
        f"{settings.public_url} is not https: passwords and documents can be read on the way.",
        "Put a proxy with a certificate before Counterpart and set COUNTERPART_PUBLIC_URL to its https address.",
    )
