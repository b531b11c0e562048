"""The answer to a page whose session has ended, so that what was typed is kept and can be sent again."""

from __future__ import annotations

import json

from flask import render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from blueprints.htmx import is_htmx, page_behind, toast

PERSON_HEADER = "X-Person"
"""The member for whom the page was rendered; requests.js sends the value of `meta[name=person]`."""


def signed_out() -> Response:
    """The 401 response.

    htmx gets a notice and the event `signedOut` with the URL of the sign-in page: requests.js goes there unless
    something was typed. A plain form gets a page: browsers keep its input for the way back.
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
    """Whether the page was rendered for another person than the one who is signed in now."""
    page_owner = request.headers.get(PERSON_HEADER)
    return bool(page_owner) and current_user.is_authenticated and page_owner != current_user.get_id()
