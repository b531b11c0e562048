"""The pop-up that a page opens on load after a sign-in: `?open=get-<server>`."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable

from flask import request, url_for

from services.access.server_access import ServerLabel

_UUID = "([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_GET = re.compile(f"get-{_UUID}(?:-{_UUID})?")
_SAVE = re.compile(f"save-{_UUID}-{_UUID}")


def dialog_to_open(matter_id: uuid.UUID, servers: Iterable[ServerLabel]) -> str:
    """The URL of the pop-up; empty if none is named, or one for a server that this person cannot use."""
    asked = request.args.get("open", "")
    usable = {str(server.id) for server in servers}
    if (match := _GET.fullmatch(asked)) and match[1] in usable:
        return url_for("transfers.get_picker", matter_id=matter_id, server_id=match[1], document=match[2])
    if (match := _SAVE.fullmatch(asked)) and match[2] in usable:
        return url_for("transfers.save_picker", document_id=match[1], server_id=match[2])
    return ""
