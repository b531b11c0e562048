"""P3: the worker's peak memory above its idle memory, for small to very large documents, both ways.

The real worker against the practice iManage, whose speed does not affect memory.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import select

from bench import moving
from bench.installation import Installation, install_bench
from bench.measure import Line, Options, peak, reset_peak
from copying.values import NewDocument
from models import TransferItem
from services.core.unit_of_work import session
from services.transfers import requests

MOST_MIB = 64.0
FLAT_MIB = 8.0


def run(options: Options) -> list[Line]:
    sizes = (1, 64, 5 * options.mib)
    gets, saves = [], []
    with install_bench(options.folder, folders=1, documents=16, large=sizes) as system:
        worker = system.start_worker()
        # Warm up: the first transfers load modules.
        moving.wait(system, moving.start_gets(system, system.sources[0]))
        moving.wait(system, moving.start_saves(system, 16, system.targets[0]))
        for mib in sizes:
            rest = reset_peak(worker.pid)
            got = moving.start_gets(system, [system.large[mib]])
            moving.wait(system, got)
            gets.append(peak(worker.pid) - rest)
            rest = reset_peak(worker.pid)
            moving.wait(system, _save_back(system, got))
            saves.append(peak(worker.pid) - rest)
    return [_line("get", sizes, gets), _line("save", sizes, saves)]


def _save_back(system: Installation, got: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """Save the document just fetched, as a new document."""
    document_id = session().scalar(
        select(TransferItem.document_id).where(
            TransferItem.transfer_id.in_(got), TransferItem.document_id.is_not(None)
        )
    )
    session().rollback()
    assert document_id is not None
    command = requests.SaveCommand(
        uuid.uuid4(), document_id, system.server_id, NewDocument(system.targets[0])
    )
    return [requests.start_save(system.people[1].actor, command)]


def _line(what: str, sizes: Sequence[int], above: Sequence[float]) -> Line:
    shown = ", ".join(f"{mib} MiB: {most:.0f}" for mib, most in zip(sizes, above, strict=True))
    growth = above[-1] - above[0]
    return Line(
        "P3",
        f"{what}, worker's peak above rest",
        f"{max(above):.0f} MiB ({shown})",
        f"from the smallest to the largest {growth:+.1f} MiB",
        f"<= {MOST_MIB:.0f} MiB, flat within {FLAT_MIB:.0f}",
        max(above) <= MOST_MIB and abs(growth) <= FLAT_MIB,
    )
