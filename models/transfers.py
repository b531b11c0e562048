"""Transfers and their items: the requests of members, and the work queue of the workers."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Enum, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, ForeignNumber, new_id, utcnow


class ItemState(StrEnum):
    """The state of an item. services/transfers/states.py has the transitions."""

    WAITING = "waiting"
    RUNNING = "running"
    SENDING = "sending"
    RESOLVING = "resolving"
    NEEDS_SIGN_IN = "needs_sign_in"
    NEEDS_DECISION = "needs_decision"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


LIVE = frozenset({ItemState.WAITING, ItemState.RUNNING, ItemState.SENDING, ItemState.RESOLVING})
"""States in which a worker has work to do; the others wait for a member or are final."""


class Transfer(Base):
    """One press of Get or Save. `request_key` is the form's idempotency key: a form sent twice finds the same row.

    `undone_at`: when what a get brought was taken out of the matter again.
    """

    __tablename__ = "transfer"
    __table_args__ = (
        CheckConstraint("kind IN ('get', 'save')", name="kind"),
        Index("ix_transfer_matter_created", "matter_id", "created_at"),
        Index("ix_transfer_member_finished", "member_id", "finished_at"),
        # The failed items of a transfer are retried in one new transfer; what fails there is retried from there.
        Index("ix_transfer_retry_of", "retry_of_id", unique=True),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    request_key: Mapped[uuid.UUID] = mapped_column(unique=True)
    kind: Mapped[str] = mapped_column(String(10))
    matter_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("matter.id", ondelete="CASCADE"))
    server_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("server.id", ondelete="SET NULL"))
    server_name: Mapped[str] = mapped_column(String(100))
    member_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("member.id"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    finished_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    retry_of_id: Mapped[uuid.UUID | None]
    undone_at: Mapped[datetime | None]
    undone_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("member.id"))

    items: Mapped[list[TransferItem]] = relationship(
        back_populates="transfer", order_by="TransferItem.position"
    )


class TransferItem(Base):
    """One document of a transfer. The worker named by `worker_id` carries it out, while its heartbeats come.

    A get has `source_id`, the version in iManage; `version_id` is set when it lands. A save has `version_id`, and
    `target_id`: a folder or a version, as `target` says; `based_on` is the version in iManage that the member knew,
    `profile` the fields of a new document that its class requires. With `is_held` a get lands for members only.
    `listed` is what a list said of `source_id`, when and to whom (services/transfers/signed_rows.py). `replaced_id` is
    the version that was current when a get became it, `undone` what an undo of the transfer did with it.
    `attempt` counts failures in a row, `sends` the sends of a save. `intent`, `announced_at`, `sent_at` are set while
    the outcome of a send may be unknown; `receipt` is what iManage said of the version, `question` both versions while
    the member has to decide. `error_*` and `next_step` belong to the last error, also while it waits to be retried.
    """

    __tablename__ = "transfer_item"
    __table_args__ = (
        Index("ix_transfer_item_transfer", "transfer_id", "position"),
        # The work queue is read in this order, without sorting and without finished items.
        Index("ix_transfer_item_due", "state", "worker_id", "position"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    transfer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("transfer.id", ondelete="CASCADE"))
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(300))
    state: Mapped[ItemState] = mapped_column(
        Enum(
            ItemState,
            name="state",
            native_enum=False,
            create_constraint=True,
            length=20,
            values_callable=lambda states: [state.value for state in states],
        )
    )
    state_at: Mapped[datetime] = mapped_column(default=utcnow)
    outcome: Mapped[str] = mapped_column(String(20), default="")

    source_id: Mapped[str] = mapped_column(String(300), default="")
    listed: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    older_becomes_current: Mapped[bool] = mapped_column(default=False)
    is_held: Mapped[bool] = mapped_column(default=False)
    document_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("document.id", ondelete="SET NULL"))
    version_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("version.id", ondelete="SET NULL"))
    replaced_id: Mapped[uuid.UUID | None]
    undone: Mapped[str] = mapped_column(String(20), default="")
    target: Mapped[str] = mapped_column(String(20))
    target_id: Mapped[str] = mapped_column(String(300), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    profile: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))

    size: Mapped[ForeignNumber | None]
    bytes_done: Mapped[int] = mapped_column(BigInteger, default=0)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    progress_at: Mapped[datetime | None]
    attempt: Mapped[int] = mapped_column(default=0)
    wait_until: Mapped[datetime | None]

    worker_id: Mapped[str | None] = mapped_column(String(60))
    fencing_token: Mapped[int] = mapped_column(default=0)
    based_on: Mapped[ForeignNumber | None]
    announced_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    sends: Mapped[int] = mapped_column(default=0)
    intent: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    receipt: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    question: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    warnings: Mapped[list[str] | None] = mapped_column(JSON)
    error_code: Mapped[str] = mapped_column(String(80), default="")
    error_sentence: Mapped[str] = mapped_column(String(600), default="")
    next_step: Mapped[str] = mapped_column(String(600), default="")

    transfer: Mapped[Transfer] = relationship(back_populates="items")
