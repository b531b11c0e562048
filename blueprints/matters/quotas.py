"""Storage limits on the pages of a matter."""

from __future__ import annotations

import uuid

from flask import request

from blueprints.authorization import actor
from blueprints.forms_base import BaseForm
from services.core.errors import InvalidError
from services.matters import quotas, uploads

OTHER_FIELDS = 64 * 1024
"""Bytes of a form body allowed for everything but the file."""


def notice_for(matter_id: uuid.UUID, may_add: bool) -> str:
    """The warning for members who may add documents if a limit is near or reached; otherwise empty."""
    return quotas.notice(matter_id, actor().id) if may_add and not actor().is_guest else ""


def refuse_unread(form_class: type[BaseForm], matter_id: uuid.UUID) -> BaseForm | None:
    """The form with an error if the request would exceed a limit. The body has not been read."""
    size = (request.content_length or 0) - OTHER_FIELDS
    if request.method != "POST" or size <= 0:
        return None
    try:
        uploads.require_space(actor(), matter_id, size)
    except InvalidError as refusal:
        form = form_class(formdata=None)
        form.add_errors(refusal)
        return form
    return None
