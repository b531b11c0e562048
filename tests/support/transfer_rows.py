"""Transfers as rows in the states that a test needs, finished as the services finish them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from models import Transfer, TransferItem
from services.core.unit_of_work import unit_of_work
from services.transfers import lifecycle


def make_transfer(
    member_id: uuid.UUID,
    matter_id: uuid.UUID,
    server_id: uuid.UUID | None,
    states: Iterable[str],
    kind: str = "get",
    **item: object,
) -> uuid.UUID:
    """One transfer with an item for each state; finished where every item is."""
    with unit_of_work() as writing:
        transfer = Transfer(
            request_key=uuid.uuid4(),
            kind=kind,
            matter_id=matter_id,
            server_id=server_id,
            server_name="London",
            member_id=member_id,
        )
        writing.add(transfer)
        writing.flush()
        for position, state in enumerate(states, 1):
            values = {"name": f"Document {position}.docx", "target": "new_document", "size": 1000} | item
            writing.add(TransferItem(transfer=transfer, position=position, state=state, **values))
        writing.flush()
        lifecycle.finish_if_over(transfer)
        return transfer.id
