"""The mail about a finished transfer, by what its reader may know when it is sent."""

from __future__ import annotations

import uuid
from datetime import datetime
from email.message import EmailMessage

from models import Mail, Member, Transfer
from services.core.actor import Actor
from services.core.errors import RefusedError
from services.core.text import normalise
from services.core.unit_of_work import session
from services.mail.messages import NotToBeSentError, new_message
from services.transfers import views as transfer_views
from services.transfers.item_views import ItemView
from services.transfers.outcomes import CANCELLED_CODE
from services.transfers.states import ItemState
from services.transfers.views import TransferView

MOST_LISTED = 20


def compose(mail_id: uuid.UUID) -> EmailMessage:
    """Plain text, one reader. Raises NotToBeSentError."""
    mail = session().get_one(Mail, mail_id)
    transfer = session().get(Transfer, mail.transfer_id)
    if transfer is None:
        raise NotToBeSentError("The transfer no longer exists.")
    member = session().get_one(Member, transfer.member_id)
    if not member.is_active or member.is_guest:
        raise NotToBeSentError("The member is deactivated or a guest.")
    if not member.wants_mail:
        raise NotToBeSentError("The member has turned these emails off.")
    if any(item.error_code == CANCELLED_CODE for item in transfer.items):
        raise NotToBeSentError("The member cancelled it.")
    reader = Actor(id=member.id, name=member.name, email=member.email)
    try:
        view = transfer_views.transfer(reader, transfer.id)
    except RefusedError as refusal:
        raise NotToBeSentError("The member is no longer in the matter.") from refusal
    return _message(mail_id, mail.created_at, member, view)


def _message(mail_id: uuid.UUID, at: datetime, member: Member, view: TransferView) -> EmailMessage:
    missing = [item for item in view.items if item.state in {ItemState.FAILED, ItemState.STOPPED}]
    listed = missing[:MOST_LISTED]
    return new_message(
        mail_id,
        _line(view.summary).rstrip("."),
        member.email,
        at,
        "transfer",
        transfer=view,
        summary=_line(view.summary),
        matter=_line(view.matter_name),
        missing=[(_line(item.name), _line(_reason(item))) for item in listed],
        more=view.total - view.done - len(listed),
    )


def _reason(item: ItemView) -> str:
    return f"{item.sentence} {item.next_step}".strip() or "No reason was recorded."


def _line(value: str) -> str:
    """A name from outside on one line, without hidden characters."""
    return "".join(
        " " if normalise.hidden_characters(character) else character
        for character in normalise.clean_line(value)
    )
