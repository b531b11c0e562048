"""A page that outlived its sign-in: what it is told, so that what was typed stays and can be sent again."""

from __future__ import annotations

import json

from flask import render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from blueprints.htmx import is_htmx, page_behind, toast

PERSON_HEADER = "X-Person"
"""Whose page it is that asks; requests.js sends what `meta[name=person]` says."""


def signed_out() -> Response:
    """401 to whoever is not signed in (any more).

    htmx gets a notice, and the event `signedOut` with the address of the sign-in page: requests.js goes there unless
    something was typed. A plain form gets a page: its browser keeps what was typed for the way back.
    """
    here = page_behind() if is_htmx() else ""
    url = url_for("auth.sign_in", next=here) if here not in {"", "/"} else url_for("auth.sign_in")
    if not is_htmx():
        return Response(render_template("errors/signed_out.html"), 401, mimetype="text/html")
    is_write = request.method not in {"GET", "HEAD"}
    answer = toast(render_template("errors/_signed_out.html", is_write=is_write), 401)
    answer.headers["HX-Trigger"] = json.dumps({"signedOut": {"url": url, "isWrite": is_write}})
    return answer


def is_another_person() -> bool:
    """Whether the page that asks was made for somebody else than who is signed in now."""
    whose = request.headers.get(PERSON_HEADER)
    return bool(whose) and current_user.is_authenticated and whose != current_user.get_id()
