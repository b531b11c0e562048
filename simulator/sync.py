"""What other systems follow the library by: change events, named positions in them, and the crawl of documents."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from simulator.events import ACTIONS, ITEM_TYPES, Event
from simulator.profiles import Row, document_row, stamp
from simulator.web import (
    RefusedError,
    api_blueprint,
    body_json,
    checked_limit,
    invalid,
    json_answer,
    library,
    limit_and_offset,
    me,
    not_found,
    record,
    state,
)
from simulator.world import now

blueprint = api_blueprint("sync")
L = "/libraries/<lib>"
CRAWLERS = ("WORK_MIGRATION", "BACKUP_RESTORE_AGENT")
CRAWL_LIMIT = 1000


def _require_events() -> None:
    if not state().settings.change_events:
        raise RefusedError(404, "NRC_NO_RECORD", "There is no such call")


@blueprint.get(f"{L}/change-events")
def change_events() -> Response:
    """The events after a `cursor`, oldest first; without a cursor only the position from which to follow."""
    _require_events()
    limit, _ = limit_and_offset()
    actions, kinds = _names("actions", ACTIONS), _names("item_types", ITEM_TYPES)
    found = [one for one in state().world.events if one.library == library().id]
    newest = str(found[-1].number) if found else "0"
    given = request.args.get("cursor", "")
    if not given:
        return json_answer({"data": [], "cursor": newest, "overflow": False})
    if not given.isdecimal():
        raise invalid("cursor")
    after = [
        one for one in found if one.number > int(given) and one.action in actions and one.item_type in kinds
    ]
    page = after[:limit]
    cursor = str(page[-1].number) if len(after) > limit else max(given, newest, key=int)
    return json_answer(
        {"data": [_event(one) for one in page], "cursor": cursor, "overflow": len(after) > limit}
    )


def _names(parameter: str, known: frozenset[str]) -> frozenset[str]:
    text = request.args.get(parameter, "")
    names = frozenset(text.split(",")) if text else known
    if not names <= known:
        raise invalid(parameter)
    return names


def _event(one: Event) -> Row:
    row: Row = {
        "id": str(one.number),
        "action_type": one.action,
        "item_type": one.item_type,
        "object_id": one.object_id,
        "event_date": stamp(one.at),
    }
    return row | {k: v for k, v in (("related_object_id", one.related), ("root_id", one.root)) if v}


# -- queues: named positions ------------------------------------------------------------------------------------


def _queue_key(queue: str) -> str:
    return f"{library().id}/{me().id}/{queue}"


def _queue(queue: str) -> Row:
    _require_events()
    found: Row | None = state().store.all("queue").get(_queue_key(queue))
    if found is None:
        raise not_found("The queue")
    return found


def _keep(queue: Any, event: Any) -> Row:
    if not isinstance(queue, str) or not queue or "/" in queue:
        raise invalid("queue_id")
    row = {"queue_id": queue, "event_id": str(event or "0"), "event_date": stamp(now())}
    state().store.put("queue", _queue_key(queue), row)
    return row


@blueprint.post(f"{L}/change-events/queues")
def add_queue() -> Response:
    _require_events()
    body = body_json("queue_id", "event_id")
    return record(_keep(body.get("queue_id"), body.get("event_id")), 201)


@blueprint.get(f"{L}/change-events/queues/<queue>")
def queue(queue: str) -> Response:
    return record(_queue(queue))


@blueprint.put(f"{L}/change-events/queues/<queue>")
def move_queue(queue: str) -> Response:
    _queue(queue)
    return record(_keep(queue, body_json("event_id", "queue_id").get("event_id")))


@blueprint.delete(f"{L}/change-events/queues/<queue>")
def remove_queue(queue: str) -> Response:
    _queue(queue)
    state().store.drop("queue", _queue_key(queue))
    return Response(status=204)


# -- crawl ---------------------------------------------------------------------------------------------------


@blueprint.post(f"{L}/sync/documents/crawl")
def crawl() -> Response:
    """All documents by number, for the system users that may. A short page ends it."""
    if me().id not in CRAWLERS:
        raise RefusedError(403, "NRC_ACCESS_DENIED", f"Only {' and '.join(CRAWLERS)} may crawl")
    body = body_json("limit", "cursor")
    limit, cursor = body.get("limit", CRAWL_LIMIT), str(body.get("cursor") or "0")
    if not isinstance(limit, int) or isinstance(limit, bool) or limit > CRAWL_LIMIT:
        raise invalid("limit", f"limit must be between 1 and {CRAWL_LIMIT}")
    if not cursor.isdecimal():
        raise invalid("cursor")
    every = sorted(state().world.documents(library().id), key=lambda one: one.number)
    page = [one for one in every if one.number > int(cursor)][: checked_limit(limit)]
    rows = [document_row(one) for one in page]
    return json_answer({"data": rows, "cursor": str(page[-1].number) if page else cursor})
