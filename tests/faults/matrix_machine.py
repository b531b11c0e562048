"""The local half of the matrix: processes, disk and database."""

from __future__ import annotations

from dataclasses import replace

from tests.faults.scenario import GETS, PROCESS, SAVES, STEPS, WORKER, Scenario

KILLS = "kill -9"
_GET_KILLS = (
    ("claim-before", "before the claim"),
    ("claim-within", "within the claim's commit"),
    ("claim-after", "after the claim"),
    ("download-before", "before the download"),
    ("download-during", "in the middle of the download"),
    ("download-after", "after the download"),
    ("fsync-before", "before the bytes are flushed"),
    ("fsync-after", "after the bytes are flushed"),
    ("rename-before", "before the bytes get their address"),
    ("rename-after", "after the bytes got their address"),
    ("spool-before", "before the temporary file is removed"),
    ("spool-after", "after the temporary file is removed"),
    ("audit-before", "before the audit event"),
    ("audit-after", "after the audit event, before the commit"),
    ("state-after", "after the commit that ends the item"),
)
_SAVE_KILLS = (
    ("claim-before", "before the claim"),
    ("claim-within", "within the claim's commit"),
    ("claim-after", "after the claim"),
    ("intent-before", "before the intent is on record"),
    ("intent-after", "after the intent is on record"),
    ("post-before", "before the first byte is sent"),
    ("post-during", "before the last bytes are sent"),
    ("post-after", "when all is sent and nothing answered"),
    ("response-before", "as the answer is read"),
    ("response-after", "after the answer is read, before it is on record"),
    ("audit-before", "before the audit event"),
    ("audit-after", "after the audit event, before the commit"),
    ("state-after", "after the commit that ends the item"),
)
_NO_BYTES = "the other kinds have points of their own"
PROCESSES = (
    *(
        Scenario(27, f"get-{n}", f"{KILLS} {says}", "process", GETS, _NO_BYTES, on=PROCESS)
        for n, says in _GET_KILLS
    ),
    *(
        Scenario(27, f"save-{n}", f"{KILLS} {says}", "process", SAVES, _NO_BYTES, on=PROCESS)
        for n, says in _SAVE_KILLS
    ),
    Scenario(28, "told-to-stop", "the worker is told to stop while the document moves", "process"),
    Scenario(29, "two-claim", "two workers claim one item at a time", "process"),
    Scenario(30, "fenced", "a worker hangs, is replaced, and wakes", "process"),
    Scenario(34, "out-of-memory", "no more memory", "process", on=PROCESS),
    Scenario(35, "no-more-files", "no more open files (EMFILE)", "process", on=PROCESS),
    Scenario(38, "cancel-race", "cancelled as it ends", "process"),
    Scenario(39, "double-start", "the form is sent twice at one moment", "process"),
)

GONE = (
    Scenario(37, "server-off", "the server is switched off as the document moves", "gone"),
    Scenario(37, "server-removed", "the server is removed as the document moves", "gone"),
    Scenario(37, "member-removed", "the member is taken off the server's list as the document moves", "gone"),
    Scenario(37, "member-deactivated", "the member is deactivated as the document moves", "gone"),
    Scenario(37, "role-lowered", "the member may only read the matter from now on", "gone"),
    Scenario(37, "matter-left", "the member leaves the matter as the document moves", "gone"),
    Scenario(37, "signed-out", "the member signs out of iManage during the transfer", "gone"),
    Scenario(37, "document-gone", "the document's rows are deleted as it moves", "gone"),
    Scenario(37, "matter-gone", "the matter's rows are deleted as the document moves", "gone"),
)

CLOCK = (
    *(
        Scenario(
            32,
            f"clock-{way}-{span}",
            f"the clock is set {way} by {says} as a lost answer is waited for",
            "clock",
        )
        for way in ("forward", "back")
        for span, says in (("hour", "an hour"), ("day", "a day"))
    ),
    *(
        Scenario(
            32, f"clock-{way}-real", f"the clock of one worker is set {way} by a day", "clock", on=WORKER
        )
        for way in ("forward", "back")
    ),
)

NO_BLOB = "a save writes no bytes here"
NO_READ = "a get reads no stored file"
NO_SPOOL = "a save has no temporary file here"


def _injected(
    fault: int, error: str, call: str, turns: int, says: str, kinds: tuple[str, ...], besides: str
) -> tuple[Scenario, ...]:
    """One scenario per call of that kind: the first, the second and so on fail with this error."""
    return tuple(
        Scenario(
            fault,
            f"{error}-{call}-{n}",
            f"{error} at {says}, number {n}",
            "disk",
            kinds,
            besides,
            on=PROCESS,
            counts=("one",),
        )
        for n in range(1, turns + 1)
    )


DISK = (
    *_injected(40, "ENOSPC", "write", 1, "a write", GETS, NO_BLOB),
    *_injected(40, "ENOSPC", "link", 1, "a rename", GETS, NO_BLOB),
    *_injected(41, "EIO", "write", 1, "a write", GETS, NO_BLOB),
    *_injected(41, "EIO", "fsync", 2, "a flush", GETS, NO_BLOB),
    replace(_injected(41, "EIO", "fsync", 3, "a flush", GETS, NO_BLOB)[2], database="sqlite"),
    *_injected(41, "EIO", "link", 1, "a rename", GETS, NO_BLOB),
    *_injected(43, "EDQUOT", "write", 1, "a write", GETS, NO_BLOB),
    *_injected(51, "ESTALE", "write", 1, "a write", GETS, NO_BLOB),
    *_injected(51, "ESTALE", "link", 1, "a rename", GETS, NO_BLOB),
    *(
        Scenario(
            40,
            f"ENOSPC-wal-{n}",
            f"ENOSPC at the database's write number {n}",
            "disk",
            on=PROCESS,
            counts=("one",),
            database="sqlite",
        )
        for n in range(1, 9)
    ),
    *(
        Scenario(
            41,
            f"EIO-wal-{n}",
            f"EIO at the database's write number {n}",
            "disk",
            on=PROCESS,
            counts=("one",),
            database="sqlite",
        )
        for n in range(1, 9)
    ),
    *(
        Scenario(
            41,
            f"EIO-fsync-{n}",
            f"EIO at flush number {n}",
            "disk",
            SAVES,
            "its flushes are listed above",
            on=PROCESS,
            counts=("one",),
            database="sqlite",
        )
        for n in range(1, 3)
    ),
    Scenario(40, "disk-full", "the store's disk is full (tmpfs)", "disk"),
    Scenario(42, "read-only", "the store's disk is mounted read-only (tmpfs)", "disk"),
    Scenario(
        43, "no-larger-file", "no file may grow further (RLIMIT_FSIZE)", "disk", GETS, NO_BLOB, on=PROCESS
    ),
    Scenario(44, "spool-deleted", "the temporary file is deleted behind us", "disk", GETS, NO_SPOOL),
    Scenario(44, "spool-truncated", "the temporary file is cut behind us", "disk", GETS, NO_SPOOL),
    Scenario(44, "spool-changed", "the temporary file is changed behind us", "disk", GETS, NO_SPOOL),
    Scenario(
        45,
        "store-deleted",
        "the stored file is deleted behind us",
        "disk",
        SAVES,
        NO_READ,
    ),
    Scenario(45, "store-truncated", "the stored file is cut behind us", "disk", SAVES, NO_READ),
    Scenario(
        45,
        "store-changed",
        "the stored file is changed behind us",
        "disk",
        SAVES,
        NO_READ,
    ),
    Scenario(
        46,
        "database-busy",
        "another program holds SQLite's lock for 10 seconds",
        "disk",
        counts=("one",),
        database="sqlite",
    ),
)

_ST = "store"
STORE = (
    Scenario(49, "store-slow", "the object store dawdles over every answer", _ST),
    Scenario(49, "store-silent", "the object store takes requests and says nothing", _ST),
    Scenario(49, "store-refuses", "nobody listens at the object store's port", _ST),
    Scenario(49, "store-500", "the object store answers 500", _ST),
    Scenario(49, "store-503", "the object store answers 503 SlowDown", _ST),
    Scenario(49, "store-503-once", "503 SlowDown, once", _ST),
    Scenario(49, "store-put-reset", "the put is reset in the middle", _ST, GETS, NO_BLOB),
    Scenario(49, "store-put-reset-large", "a part of a put in several parts is reset", _ST, GETS, NO_BLOB),
    Scenario(49, "store-put-changed", "a byte is changed on its way to the object store", _ST, GETS, NO_BLOB),
    Scenario(49, "store-put-forgotten", "the put is taken, and then there is no object", _ST, GETS, NO_BLOB),
    Scenario(49, "store-read-reset", "the object is reset in the middle", _ST, SAVES, NO_READ),
    Scenario(49, "store-read-changed", "a byte of the object is changed", _ST, SAVES, NO_READ),
    Scenario(49, "store-denied", "the object store no longer takes our key", _ST),
    Scenario(49, "bucket-gone", "the bucket is gone", _ST),
)

DATABASE = (
    Scenario(33, "newer-schema", "the next release's migration has run under this worker", "database"),
    Scenario(
        33,
        "rolled-out",
        "the next release's tables come while a document moves (real worker)",
        "versions",
        on=WORKER,
        counts=("one",),
    ),
    Scenario(
        47, "tables-older", "the tables are those of an older version (worker, web)", "versions", on=WORKER
    ),
    Scenario(
        47, "tables-newer", "the tables are those of a newer version (worker, web)", "versions", on=WORKER
    ),
    Scenario(47, "file-missing", "the database's file is gone", "database", database="sqlite"),
    Scenario(47, "file-corrupt", "the database's file is broken", "database", database="sqlite"),
    Scenario(
        48, "connections-dropped", "PostgreSQL ends every connection", "database", database="postgresql"
    ),
    *(
        Scenario(48, name, says, "postgres", on=on, database="postgresql")
        for name, says, on in (
            ("restarted", "PostgreSQL is restarted as the document moves", STEPS),
            ("crashed", "PostgreSQL crashes and recovers (real worker)", WORKER),
            ("failover", "PostgreSQL is lost and a standby takes its place (real worker)", WORKER),
            ("deadlock", "PostgreSQL breaks off a deadlock", STEPS),
            ("serialization", "PostgreSQL refuses to serialize (repeatable read)", STEPS),
        )
    ),
    Scenario(50, "old-backup", "a backup from before the transfer's end is restored", "database"),
    Scenario(
        50, "old-backup-stale-sign-in", "the same, and the sign-in in it has been used up since", "database"
    ),
)
