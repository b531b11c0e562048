"""The pop-ups of Get and Save: browsing iManage and choosing there. Their forms start a transfer.

Locations and searches contain names of clients and matters, so they are sent in the body, never in a URL.
"""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import quote, unquote

from flask import render_template, request, url_for
from werkzeug.wrappers import Response

from blueprints.authorization import actor, needs
from blueprints.forms_base import as_uuid
from blueprints.htmx import fragment, go_to, is_htmx, placed
from blueprints.query_params import LONGEST_SEARCH, offset
from blueprints.transfers import bp
from blueprints.transfers.answers import open_dialog, refused_in_picker, sign_in_first
from blueprints.transfers.forms import SaveForm
from services.core.errors import ConflictError, RemoteRefusedError, SignInNeededError
from services.core.text import normalise
from services.matters import documents
from services.picker import dialog
from services.picker.browse import SEARCHABLE, SHELVES, Kind, Listing, Location, Step
from services.picker.port import PICKER
from services.transfers import save_checks

LIST = "#picker-list"
MORE = "#picker-more"
MAX_DEPTH = 30
MAX_NAME = 80
MAX_ID = 200
KINDS: dict[str, Kind] = {
    "w": "workspace",
    "f": "folder",
    "c": "read_only_folder",
    "v": "favourites_category",
    "m": "matters_category",
    "d": "document",
}
LETTERS = {kind: letter for letter, kind in KINDS.items()}
SHELF_NAMES = {"recent": "Recent workspaces", "mine": "My matters", "favourites": "Favourites"}


@bp.get("/matters/<uuid:matter_id>/get/<uuid:server_id>")
@needs("staff")
def get_picker(matter_id: uuid.UUID, server_id: uuid.UUID) -> Response:
    return open_dialog(lambda: _get_form(matter_id, server_id), server_id, _back(matter_id, server_id))


@bp.get("/documents/<uuid:document_id>/save/<uuid:server_id>")
@needs("staff")
def save_picker(document_id: uuid.UUID, server_id: uuid.UUID) -> Response:
    matter_id = documents.find(actor(), document_id).matter_id
    back = url_for("matters.matter", matter_id=matter_id, open=f"save-{document_id}-{server_id}")
    return open_dialog(lambda: _save_form(document_id, server_id), server_id, back)


@bp.get("/documents/<uuid:document_id>/save/<uuid:server_id>/check")
@needs("staff")
def save_check(document_id: uuid.UUID, server_id: uuid.UUID) -> Response:
    """The check of the twin in iManage, requested once the pop-up is open and when the choice changes."""
    back = url_for("matters.document", document_id=document_id)
    if not is_htmx():
        return go_to(back)
    target = request.args.get("target", "")
    try:
        check = save_checks.check_twin(actor(), document_id, server_id, target)
    except SignInNeededError as needed:
        return sign_in_first(needed, server_id, back)
    picker = dialog.for_save(actor(), document_id, server_id)
    return fragment(
        render_template(
            "transfers/_picker_check.html", check=check, picker=picker, target=target, get_key=uuid.uuid4()
        )
    )


def save_refused(
    form: SaveForm, document_id: uuid.UUID, server_id: uuid.UUID, check: save_checks.Check | None
) -> Response:
    """The pop-up of Save stays open; its name and check are redrawn with their errors."""
    return refused_in_picker(
        form,
        picker=dialog.for_save(actor(), document_id, server_id),
        check=check,
        target=form.target.data,
        accepted=form.accept.data or (),
        get_key=uuid.uuid4(),
        suggestion=save_checks.suggested(form.name.data or ""),
        fields={"name": "picker-name", "extension": "picker-extension", "twin": "picker-check"},
    )


@bp.post("/matters/<uuid:matter_id>/browse/<uuid:server_id>")
@needs("staff")
def browse(matter_id: uuid.UUID, server_id: uuid.UUID) -> Response:
    """A list in the pop-up: the first hundred rows of a location, or with `offset` the next."""
    location = _location()
    try:
        listing = PICKER.list_location(actor(), matter_id, server_id, location)
    except SignInNeededError as needed:
        return sign_in_first(needed, server_id, _back(matter_id, server_id))
    except (RemoteRefusedError, ConflictError) as refusal:
        return placed(
            _list_refused(refusal, location, matter_id, server_id), 502, MORE if location.offset else LIST
        )
    drawn = "transfers/_picker_more.html" if location.offset else "transfers/_picker_list.html"
    return fragment(render_template(drawn, **_context(listing, matter_id, server_id)))


@bp.post("/matters/<uuid:matter_id>/everything/<uuid:server_id>")
@needs("staff")
def everything(matter_id: uuid.UUID, server_id: uuid.UUID) -> Response:
    """Adds all documents of a location, or of a search, to the selection."""
    try:
        below = "below" in request.form
        selection = PICKER.collect(actor(), matter_id, server_id, _location(), below=below)
    except SignInNeededError as needed:
        return sign_in_first(needed, server_id, _back(matter_id, server_id))
    return fragment(render_template("transfers/_picker_everything.html", selection=selection))


def _back(matter_id: uuid.UUID, server_id: uuid.UUID) -> str:
    """The URL to return to after signing in: the matter's page, which opens this pop-up again."""
    document_id = as_uuid(request.args.get("document"))
    if "saving" in request.args:
        asked = f"save-{document_id}-{server_id}"
    else:
        asked = f"get-{server_id}-{document_id}" if document_id else f"get-{server_id}"
    return url_for("matters.matter", matter_id=matter_id, open=asked)


def _get_form(matter_id: uuid.UUID, server_id: uuid.UUID) -> str:
    document_id = as_uuid(request.args.get("document"))
    return render_template(
        "transfers/_picker_get.html",
        picker=dialog.for_get(actor(), matter_id, server_id, document_id),
        browse=url_for(".browse", matter_id=matter_id, server_id=server_id, document=document_id),
        request_key=uuid.uuid4(),
    )


def _save_form(document_id: uuid.UUID, server_id: uuid.UUID) -> str:
    picker = dialog.for_save(actor(), document_id, server_id)
    return render_template(
        "transfers/_picker_save.html",
        picker=picker,
        target="new_version" if picker.may_go_onto_twin else "new_document",
        browse=url_for(
            ".browse", matter_id=picker.matter_id, server_id=server_id, document=document_id, saving=1
        ),
        request_key=uuid.uuid4(),
    )


def _location() -> Location:
    shelf = request.form.get("shelf", "")
    return Location(
        steps=tuple(filter(None, map(_parse_step, request.form.getlist("step")[:MAX_DEPTH]))),
        text=normalise.clean_line(request.form.get("q", "")[:LONGEST_SEARCH]),
        shelf=shelf if shelf in SHELVES else "recent",
        offset=offset("offset"),
        for_saving="saving" in request.args,
    )


def _parse_step(given: str) -> Step | None:
    """Parse `f:Active!987:Drafts`: kind, id and name, as the pressed row had them."""
    letter, _, rest = given.partition(":")
    quoted, _, name = rest.partition(":")
    step_id = unquote(quoted)
    if letter not in KINDS or not step_id or len(step_id) > MAX_ID:
        return None
    return Step(KINDS[letter], step_id, normalise.clean_line(name)[:MAX_NAME] or step_id)


def _encode_step(step: Step) -> str:
    return f"{LETTERS[step.kind]}:{quote(step.id, safe='!')}:{step.name[:MAX_NAME]}"


def _context(listing: Listing, matter_id: uuid.UUID, server_id: uuid.UUID) -> dict[str, Any]:
    """The template context of a list: its rows, and what each link and button sends."""
    location = listing.location
    frame = _frame(location, matter_id, server_id)
    to, way = frame["to"], frame["way"]
    return {
        **frame,
        "listing": listing,
        "to_step": lambda step: to([*way, _encode_step(step)], fresh=1),
        "to_versions": lambda row: to([*way, _encode_step(Step("document", str(row.id), row.name))], fresh=1),
        "is_versions": location.steps[-1:] != () and location.steps[-1].kind == "document",
        "more": to(way, q=location.text, shelf=location.shelf, offset=listing.next_offset or 0),
        "one_only": "document" in request.args,
        "everything": _select_all_buttons(listing, way),
        "everything_url": url_for(".everything", matter_id=matter_id, server_id=server_id),
        "folder": _folder_to_save_in(location),
    }


def _frame(location: Location, matter_id: uuid.UUID, server_id: uuid.UUID) -> dict[str, Any]:
    """The context around a list, also around one that failed. A new location empties the search box."""
    way = [_encode_step(step) for step in location.steps]

    def to(steps: list[str], **more: object) -> str:
        """The values that request a location. An empty step overrides the steps in the surrounding form."""
        return json.dumps({"step": steps or [""], "q": ""} | more)

    return {
        "location": location,
        "way": way,
        "to": to,
        "shelves": [(name, SHELF_NAMES[name], to([], shelf=name, fresh=1)) for name in SHELVES],
        "crumbs": [(step.name, to(way[: at + 1], fresh=1)) for at, step in enumerate(location.steps)],
        "everywhere": to([], q=location.text),
        "browse": url_for(
            ".browse",
            matter_id=matter_id,
            server_id=server_id,
            document=as_uuid(request.args.get("document")),
            saving=1 if location.for_saving else None,
        ),
        "is_fresh": "fresh" in request.form,
    }


def _list_refused(
    refusal: RemoteRefusedError | ConflictError,
    location: Location,
    matter_id: uuid.UUID,
    server_id: uuid.UUID,
) -> str:
    frame = _frame(location, matter_id, server_id)
    again = frame["to"](frame["way"], q=location.text, shelf=location.shelf, offset=location.offset)
    return render_template("transfers/_picker_said.html", refusal=refusal, again=again, **frame)


def _select_all_buttons(listing: Listing, way: list[str]) -> list[tuple[str, str]]:
    """The buttons that select more than the rows shown: label and values sent."""
    location, last = listing.location, listing.location.steps[-1:]

    def of(**more: object) -> str:
        return json.dumps({"step": way or [""], "q": ""} | more)

    count = f" ({listing.documents_in_all:,})" if listing.documents_in_all else ""
    if location.text:
        return [(f"Select everything found{count}", of(q=location.text))] if listing.documents else []
    if not last or last[0].kind not in SEARCHABLE:
        return []
    if last[0].kind == "workspace":
        return [("Select everything in this workspace", of())]
    here = [(f"Select everything in this folder{count}", of())] if listing.documents else []
    below = [("Select everything including subfolders", of(below=1))] if listing.containers else []
    return here + below


def _folder_to_save_in(location: Location) -> Step | None:
    last = location.steps[-1] if location.steps else None
    return last if last and last.kind == "folder" else None
