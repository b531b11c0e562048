"""The list of members as a CSV file: export, and import with a preview."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from flask import Response as StreamedResponse
from flask import flash, render_template, request, stream_with_context, url_for
from werkzeug.wrappers import Response

from blueprints.authorization import actor, needs, takes_table
from blueprints.htmx import go_to
from blueprints.members import bp, popup
from blueprints.members.forms import FileForm, ImportForm
from blueprints.members.listing import Tab, filters
from blueprints.query_params import offset
from services.core.errors import InvalidError
from services.mail import server_state
from services.members import import_export

BOM = "\ufeff"  # tells spreadsheets that the file is UTF-8
PAGE = 100
ACTIONS = {"refused": "Refused", "add": "To add", "change": "To change", "unchanged": "Unchanged"}


@bp.get("/export.csv")
@needs("admin")
def export() -> Response:
    text, _, wanted = filters()
    lines = import_export.export(actor(), text, wanted)
    answer = StreamedResponse(stream_with_context(_encoded(lines)), mimetype="text/csv")
    answer.headers["Content-Disposition"] = "attachment; filename=Members.csv"
    return answer


@bp.route("/import", methods=["GET", "POST"])
@needs("admin")
@takes_table
def choose_file() -> Response:
    form = FileForm()
    if form.validate_on_submit():
        try:
            import_id = import_export.read(actor(), form.file.data.filename or "", form.file.data.read())
        except InvalidError as refusal:
            form.add_errors(refusal)
        else:
            return go_to(url_for(".preview_import", import_id=import_id))
    return popup("import", "Import members", form=form)


@bp.get("/import/<uuid:import_id>")
@needs("admin")
def preview_import(import_id: uuid.UUID) -> str:
    seen = import_export.preview(actor(), import_id)
    counts = {action: len(seen.of(action)) for action in ACTIONS}
    fullest = next((action for action, count in counts.items() if count), "add")
    show = request.args.get("show", "")
    show = show if show in ACTIONS else fullest
    start = offset("from")
    return render_template(
        "members/import.html",
        seen=seen,
        counts=counts,
        show=show,
        start=start,
        page=PAGE,
        rows=seen.of(show)[start : start + PAGE],
        tabs=[
            Tab(
                label,
                url_for(".preview_import", import_id=import_id, show=action),
                action == show,
                counts[action],
            )
            for action, label in ACTIONS.items()
        ],
        form=ImportForm(formdata=None),
        sends_mail=server_state.is_set_up(),
    )


@bp.post("/import/<uuid:import_id>")
@needs("admin")
def run_import(import_id: uuid.UUID) -> Response:
    done = import_export.run(actor(), import_id, invite=ImportForm().invite.data)
    flash(f"Import finished: {done.added} added, {done.changed} changed, {done.refused} left out.", "success")
    return go_to(url_for(".open_invitations" if done.invited else ".index"))


def _encoded(lines: Iterator[str]) -> Iterator[bytes]:
    yield BOM.encode()
    for line in lines:
        yield line.encode()
