"""What a mail about a finished transfer says, by what its reader may know at the moment it is sent."""

from __future__ import annotations

import uuid
from datetime import datetime
from email.message import EmailMessage

from models import Mail, Member, Transfer
from services.core.actor import Actor
from services.core.errors import RefusedError
from services.core.runtime import runtime
from services.core.text import normalise
from services.core.unit_of_work import session
from services.mail.composers import NotToBeSentError
from services.mail.envelope import new_message, time_of
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
        raise NotToBeSentError("The transfer is no longer on record.")
    member = session().get_one(Member, transfer.member_id)
    if not member.is_active or member.is_guest:
        raise NotToBeSentError("The member is not active any more, or is a guest.")
    if not member.wants_mail:
        raise NotToBeSentError("The member has switched mails off.")
    if any(item.error_code == CANCELLED_CODE for item in transfer.items):
        raise NotToBeSentError("The member cancelled it.")
    reader = Actor(id=member.id, name=member.name, email=member.email)
    try:
        view = transfer_views.transfer(reader, transfer.id)
    except RefusedError as refusal:
        raise NotToBeSentError("The member takes no part in the matter any more.") from refusal
    return _message(mail_id, mail.created_at, member, view)


def _message(mail_id: uuid.UUID, at: datetime, member: Member, view: TransferView) -> EmailMessage:
    message = new_message(mail_id, _line(view.summary).rstrip("."), member.email, at)
    message.set_content("\n".join(_lines(view)), cte="quoted-printable")
    return message


def _lines(view: TransferView) -> list[str]:
    base = runtime().settings.public_url
    missing = [item for item in view.items if item.state in {ItemState.FAILED, ItemState.STOPPED}]
    count = view.total - view.done
    lines = [
        _line(view.summary),
        "",
        f"Matter: {_line(view.matter_name)}",
        f"Started: {time_of(view.started_at)}",
    ]
    if view.finished_at:
        lines.append(f"Ended: {time_of(view.finished_at)}")
    if missing:
        lines += ["", "What needs a look:", ""]
        for item in missing[:MOST_LISTED]:
            lines += _item(item)
        if count > len(missing[:MOST_LISTED]):
            lines.append(f"And {count - len(missing[:MOST_LISTED])} more, which the page lists.")
    lines += ["", f"Every document, with what you can do: {base}/transfers/{view.id}"]
    lines += ["", f"Counterpart sent you this because you started it. Switch it off: {base}/account", ""]
    return lines


def _item(item: ItemView) -> list[str]:
    said = f"{item.sentence} {item.next_step}".strip() or "No reason is on record."
    return [f"- {_line(item.name)}", f"  {_line(said)}"]


def _line(value: str) -> str:
    """A name from outside stays one line, without what could disguise it."""
    return "".join(
        " " if normalise.hidden_characters(character) else character
        for character in normalise.clean_line(value)
    )
