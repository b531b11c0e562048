"""The pop-ups of Get and Save: browsing iManage and choosing there. Their forms start a transfer.

Locations and searches contain names of clients and matters, so they are sent in the body, never in a URL.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import render_template, request, url_for
from werkzeug.wrappers import Response

from blueprints.authorization import actor, needs, takes_table
from blueprints.forms_base import as_uuid
from blueprints.htmx import fragment, go_to, is_htmx, placed
from blueprints.query_params import LONGEST_SEARCH, offset
from blueprints.transfers import bp
from blueprints.transfers import steps as path_steps
from blueprints.transfers.answers import open_dialog, refused_in_picker, sign_in_first
from blueprints.transfers.forms import SaveForm
from services.core.errors import ConflictError, InvalidError, RemoteRefusedError, SignInNeededError
from services.core.text import normalise
from services.matters import documents
from services.picker import dialog, matching, workspaces
from services.picker.browse import SEARCHABLE, SHELVES, Listing, Location, Purpose, Step
from services.picker.port import PICKER
from services.transfers import profile_forms, save_checks
from services.transfers.requests import MOST_DOCUMENTS, OTHER_VERSION, sources_of

LIST = "#picker-list"
PASTE_PROBLEM = "#picker-paste-problem"
MORE = "#picker-more"
OWN_WORKSPACE = "This matter’s workspace"
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
    return _list(matter_id, server_id)


@bp.get("/matters/<uuid:matter_id>/workspace/<uuid:server_id>")
@needs("staff")
def offer_workspace(matter_id: uuid.UUID, server_id: uuid.UUID) -> Response:
    """The workspaces that have the matter's numbers, requested once the pop-up is open."""
    try:
        offers = workspaces.offers(actor(), matter_id, server_id)
    except (SignInNeededError, RemoteRefusedError, ConflictError):
        offers = ()  # the list beside it says why
    return fragment(
        render_template(
            "transfers/_picker_offer.html",
            offers=[(each, path_steps.encode(each.step)) for each in offers],
            url=url_for(".choose_workspace", matter_id=matter_id, server_id=server_id, **_purpose_args()),
        )
    )


@bp.post("/matters/<uuid:matter_id>/workspace/<uuid:server_id>")
@needs("staff")
def choose_workspace(matter_id: uuid.UUID, server_id: uuid.UUID) -> Response:
    """Remember the workspace of the matter, or that it has none, and draw the list again."""
    chosen = path_steps.parse(request.form.get("workspace", ""))
    if chosen is None:
        workspaces.remember(actor(), matter_id, server_id, None)
        return _list(matter_id, server_id)
    return _list(matter_id, server_id, lambda: workspaces.remember(actor(), matter_id, server_id, chosen))


def _list(matter_id: uuid.UUID, server_id: uuid.UUID, then: Callable[[], None] = lambda: None) -> Response:
    """The list of a location; `then` is called once iManage has shown it."""
    location = _location(matter_id, server_id)
    try:
        listing = PICKER.list_location(actor(), matter_id, server_id, location)
        then()
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
        after = sources_of(request.form.getlist("source")) if "next" in request.form else None
        location = _location(matter_id, server_id)
        selection = PICKER.collect(actor(), matter_id, server_id, location, below=below, after=after)
    except SignInNeededError as needed:
        return sign_in_first(needed, server_id, _back(matter_id, server_id))
    response = fragment(
        render_template(
            "transfers/_picker_everything.html",
            selection=selection,
            everything_url=url_for(".everything", matter_id=matter_id, server_id=server_id),
            next_sent=_next_values(location, below=below) if selection.is_cut else "",
        )
    )
    if after and len(after) >= MOST_DOCUMENTS and selection.documents:
        response.headers["HX-Reswap"] = "innerHTML"  # in place of a selection that is full
    return response


@bp.post("/matters/<uuid:matter_id>/paste/<uuid:server_id>")
@needs("staff")
@takes_table
def paste(matter_id: uuid.UUID, server_id: uuid.UUID) -> Response:
    """What became of pasted numbers: of the first, or with `more` of the next."""
    before = Counter({name: offset(name) for name in matching.COUNTED if name in request.form})
    text = request.form.get("pasted", "")
    try:
        selected = sources_of(request.form.getlist("source")) if "more" in request.form else ()
        matches = matching.match(actor(), matter_id, server_id, text, before, selected)
    except SignInNeededError as needed:
        return sign_in_first(needed, server_id, _back(matter_id, server_id))
    except InvalidError as invalid:
        problem = render_template("transfers/_picker_paste_problem.html", sentence=invalid.fields["pasted"])
        return placed(problem, 422, PASTE_PROBLEM)
    except (RemoteRefusedError, ConflictError) as refusal:
        said = render_template("transfers/_picker_paste_problem.html", refusal=refusal)
        return placed(said, 502, MORE if "more" in request.form else PASTE_PROBLEM)
    drawn = (
        "transfers/_picker_matches_more.html" if "more" in request.form else "transfers/_picker_matches.html"
    )
    location = Location()
    return fragment(
        render_template(
            drawn,
            **_frame(location, matter_id, server_id),
            matches=matches,
            paste=_paste_url(matter_id, server_id),
            to_top=json.dumps({"step": [""], "q": "", "fresh": 1}),
            kind="radio" if "document" in request.args else "checkbox",
        )
    )


def _paste_url(matter_id: uuid.UUID, server_id: uuid.UUID) -> str:
    document_id = as_uuid(request.args.get("document"))
    return url_for(".paste", matter_id=matter_id, server_id=server_id, document=document_id)


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
        offer=offer_url(matter_id, server_id),
        paste=_paste_url(matter_id, server_id),
        request_key=uuid.uuid4(),
    )


def offer_url(matter_id: uuid.UUID, server_id: uuid.UUID, **purpose: Any) -> str:
    """Where the pop-up asks for a workspace to offer; empty if none is to be offered."""
    if not workspaces.may_offer(matter_id, server_id):
        return ""
    return url_for(".offer_workspace", matter_id=matter_id, server_id=server_id, **purpose)


def _save_form(document_id: uuid.UUID, server_id: uuid.UUID) -> str:
    picker = dialog.for_save(actor(), document_id, server_id)
    return render_template(
        "transfers/_picker_save.html",
        picker=picker,
        target="new_version" if picker.may_go_onto_twin else "new_document",
        browse=url_for(
            ".browse", matter_id=picker.matter_id, server_id=server_id, document=document_id, saving=1
        ),
        offer=offer_url(picker.matter_id, server_id, saving=1),
        request_key=uuid.uuid4(),
    )


def _location(matter_id: uuid.UUID, server_id: uuid.UUID) -> Location:
    """With `start` and no other step, the matter's workspace if there is one."""
    shelf = request.form.get("shelf", "")
    steps = path_steps.parse_all(request.form.getlist("step"))
    if not steps and "start" in request.form:
        own = workspaces.remembered(matter_id, server_id)
        steps = (own,) if own else ()
    return Location(
        steps=steps,
        text=normalise.clean_line(request.form.get("q", "")[:LONGEST_SEARCH]),
        shelf=shelf if shelf in SHELVES else "recent",
        offset=offset("offset"),
        purpose=_purpose(),
    )


def _purpose() -> Purpose:
    if "saving" not in request.args:
        return "get"
    return "document" if request.form.get("target") == OTHER_VERSION else "folder"


def _purpose_args() -> dict[str, Any]:
    document_id = as_uuid(request.args.get("document"))
    return {"document": document_id, "saving": 1 if "saving" in request.args else None}


def _context(listing: Listing, matter_id: uuid.UUID, server_id: uuid.UUID) -> dict[str, Any]:
    """The template context of a list: its rows, and what each link and button sends."""
    location = listing.location
    frame = _frame(location, matter_id, server_id)
    to, way = frame["to"], frame["way"]
    return {
        **frame,
        "listing": listing,
        "to_step": lambda step: to([*way, path_steps.encode(step)], fresh=1),
        "to_versions": lambda row: to(
            [*way, path_steps.encode(Step("document", str(row.id), row.name))], fresh=1
        ),
        "is_versions": location.steps[-1:] != () and location.steps[-1].kind == "document",
        "more": to(way, q=location.text, shelf=location.shelf, offset=listing.next_offset or 0),
        "kind": {"folder": None, "document": "radio"}.get(
            location.purpose, "radio" if "document" in request.args else "checkbox"
        ),
        "everything": _select_all_buttons(listing),
        "next_sent": _next_values(location) if (listing.documents_in_all or 0) > MOST_DOCUMENTS else "",
        "everything_url": url_for(".everything", matter_id=matter_id, server_id=server_id),
        "folder": _folder_to_save_in(location),
        **_profile_context(location, matter_id, server_id),
    }


def _profile_context(location: Location, matter_id: uuid.UUID, server_id: uuid.UUID) -> dict[str, Any]:
    """The form of the profile, where the list enters a workspace to save there. What was typed stays below it."""
    is_opening = request.headers.get("HX-Trigger") == "picker-list"
    if location.purpose != "folder" or not (is_opening or len(location.steps) == 1):
        return {}
    workspace_id = path_steps.workspace_of(location.steps)
    return {
        "profile": profile_forms.form_for(actor(), matter_id, server_id, workspace_id),
        "profile_url": url_for(".profile_fields", matter_id=matter_id, server_id=server_id),
    }


@bp.post("/matters/<uuid:matter_id>/profile/<uuid:server_id>")
@needs("staff")
def profile_fields(matter_id: uuid.UUID, server_id: uuid.UUID) -> Response:
    """The fields that the chosen class requires."""
    workspace_id = path_steps.workspace_of(path_steps.parse_all(request.form.getlist("step")))
    chosen = request.form.get("profile_class", "")
    return fragment(
        render_template(
            "transfers/_picker_profile.html",
            profile=profile_forms.form_for(actor(), matter_id, server_id, workspace_id, chosen),
            profile_url=url_for(".profile_fields", matter_id=matter_id, server_id=server_id),
        )
    )


def _frame(location: Location, matter_id: uuid.UUID, server_id: uuid.UUID) -> dict[str, Any]:
    """The context around a list, also around one that failed. A new location empties the search box."""
    way = [path_steps.encode(step) for step in location.steps]
    own = workspaces.remembered(matter_id, server_id)
    top = location.steps[0] if location.steps and location.steps[0].kind == "workspace" else None

    def to(steps: list[str], **more: object) -> str:
        """The values that request a location. An empty step overrides the steps in the surrounding form."""
        return json.dumps({"step": steps or [""], "q": ""} | more)

    return {
        "location": location,
        "way": way,
        "to": to,
        "to_own": to([], start=1, fresh=1) if own else "",
        "is_own": own is not None and top is not None and own.id == top.id,
        "top": top and path_steps.encode(top),
        "workspace_url": url_for(
            ".choose_workspace", matter_id=matter_id, server_id=server_id, **_purpose_args()
        ),
        "closes_offer": "workspace" in request.form,
        "shelves": [(name, SHELF_NAMES[name], to([], shelf=name, fresh=1)) for name in SHELVES],
        "crumbs": [(step.name, to(way[: at + 1], fresh=1)) for at, step in enumerate(location.steps)],
        "everywhere": to([], q=location.text),
        "browse": url_for(
            ".browse",
            matter_id=matter_id,
            server_id=server_id,
            **_purpose_args(),
        ),
        "is_fresh": "fresh" in request.form,
    }


def _list_refused(
    refusal: RemoteRefusedError | ConflictError,
    location: Location,
    matter_id: uuid.UUID,
    server_id: uuid.UUID,
) -> str:
    if "start" in request.form and location.steps:
        # Its name is for those who can see it in iManage.
        location = replace(location, steps=(replace(location.steps[0], name=OWN_WORKSPACE),))
    frame = _frame(location, matter_id, server_id)
    again = frame["to"](frame["way"], q=location.text, shelf=location.shelf, offset=location.offset)
    return render_template("transfers/_picker_said.html", refusal=refusal, again=again, **frame)


def _everything_values(location: Location, **more: int) -> str:
    """The values that select everything of a location."""
    way = [path_steps.encode(step) for step in location.steps]
    return json.dumps({"step": way or [""], "q": location.text} | more)


def _next_values(location: Location, *, below: bool = False) -> str:
    """The values that select the next documents of a location."""
    return _everything_values(location, next=1, **({"below": 1} if below else {}))


def _select_all_buttons(listing: Listing) -> list[tuple[str, str]]:
    """The buttons that select more than the rows shown: label and values sent."""
    location, last = listing.location, listing.location.steps[-1:]
    count = f" ({listing.documents_in_all:,})" if listing.documents_in_all else ""
    sent = _everything_values(location)
    if location.text:
        return [(f"Select everything found{count}", sent)] if listing.documents else []
    if not last or last[0].kind not in SEARCHABLE:
        return []
    if last[0].kind == "workspace":
        return [("Select everything in this workspace", sent)]
    here = [(f"Select everything in this folder{count}", sent)] if listing.documents else []
    deep = _everything_values(location, below=1)
    below = [("Select everything including subfolders", deep)] if listing.containers else []
    return here + below


def _folder_to_save_in(location: Location) -> Step | None:
    last = location.steps[-1] if location.steps else None
    return last if last and last.kind == "folder" else None
