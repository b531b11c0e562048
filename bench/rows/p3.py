"""P3: the worker's peak of memory above what it holds at rest, from a small document to a very large one, both ways.

The real worker against the practice iManage: the speed of the other side does not change what is held in memory.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import select

from bench import moving
from bench.measure import Line, Options, peak, reset_peak
from bench.stand import Stand, stand
from copying.values import NewDocument
from models import TransferItem
from services.core.unit_of_work import session
from services.transfers import requests

MOST_MIB = 64.0
FLAT_MIB = 8.0


def run(options: Options) -> list[Line]:
    sizes = (1, 64, 5 * options.mib)
    gets, saves = [], []
    with stand(options.folder, folders=1, documents=16, large=sizes) as place:
        worker = place.start_worker()
        # The first of a kind loads what is loaded once.
        moving.wait(place, moving.ask_to_get(place, place.sources[0]))
        moving.wait(place, moving.ask_to_save(place, 16, place.targets[0]))
        for mib in sizes:
            rest = reset_peak(worker.pid)
            got = moving.ask_to_get(place, [place.large[mib]])
            moving.wait(place, got)
            gets.append(peak(worker.pid) - rest)
            rest = reset_peak(worker.pid)
            moving.wait(place, _save_back(place, got))
            saves.append(peak(worker.pid) - rest)
    return [_line("get", sizes, gets), _line("save", sizes, saves)]


def _save_back(place: Stand, got: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """Save what has just been got, as a new document."""
    document_id = session().scalar(
        select(TransferItem.document_id).where(
            TransferItem.transfer_id.in_(got), TransferItem.document_id.is_not(None)
        )
    )
    session().rollback()
    assert document_id is not None
    command = requests.SaveCommand(uuid.uuid4(), document_id, place.server_id, NewDocument(place.targets[0]))
    return [requests.start_save(place.people[1].actor, command)]


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
