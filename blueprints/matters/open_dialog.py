"""The pop-up that a page opens by itself when a person comes back from signing in: `?open=get-<server>`."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable

from flask import request, url_for

from services.access.server_access import ServerLabel

_UUID = "([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_GET = re.compile(f"get-{_UUID}(?:-{_UUID})?")
_SAVE = re.compile(f"save-{_UUID}-{_UUID}")


def pop_up_to_open(matter_id: uuid.UUID, servers: Iterable[ServerLabel]) -> str:
    """The pop-up's address, empty where nothing, nonsense, or a server that this person cannot use was named."""
    asked = request.args.get("open", "")
    usable = {str(server.id) for server in servers}
    if (match := _GET.fullmatch(asked)) and match[1] in usable:
        return url_for("transfers.get_picker", matter_id=matter_id, server_id=match[1], document=match[2])
    if (match := _SAVE.fullmatch(asked)) and match[2] in usable:
        return url_for("transfers.save_picker", document_id=match[1], server_id=match[2])
    return ""
