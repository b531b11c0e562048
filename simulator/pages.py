"""The web pages: sign-in, the list of workspaces, and the targets of web links."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for

from simulator.downloads import send_bytes
from simulator.oauth import COOKIE, remember, sign_in
from simulator.state import State
from simulator.values import Container, Document, User, Version
from simulator.web import state

blueprint = Blueprint("pages", __name__)


def _visitor() -> User | None:
    token = state().tokens.find("browser", request.cookies.get(COOKIE, ""))
    return state().world.user(token.user) if token else None


def _signed_in(view: Callable[[User], str | Response]) -> str | Response:
    user = _visitor()
    return view(user) if user else make_response(redirect(url_for("pages.login", next=request.path)))


@blueprint.get("/")
def front() -> Response:
    return make_response(redirect("/work/web"))


@blueprint.route("/login", methods=["GET", "POST"])
def login() -> Response | tuple[str, int]:
    name = request.form.get("username", "").strip()
    following = request.args.get("next", "/work/web")
    if not following.startswith("/") or following.startswith(("//", "/\\")):
        following = "/work/web"
    user = sign_in(name, request.form.get("password", "")) if request.method == "POST" else None
    if user:
        answer = make_response(redirect(following))
        remember(answer, user)
        return answer
    problem = "User ID or Password is incorrect" if request.method == "POST" else ""
    users = [] if state().quiet else state().world.users
    return render_template("login.html", users=users, name=name, problem=problem), 401 if problem else 200


@blueprint.get("/work/web")
@blueprint.get("/work/web/")
def home() -> str | Response:
    def show(user: User) -> str:
        world = state().world
        found = [
            (library, [one for one in world.workspaces(library.id) if world.may(user, one, "read")])
            for library in world.libraries(user)
        ]
        return render_template("home.html", user=user, libraries=found)

    return _signed_in(show)


@blueprint.get("/work/link/<kind>/<object_id>")
@blueprint.get("/work/web/dialogs/link/<kind>/<object_id>")
def link(kind: str, object_id: str) -> str | Response:
    def show(user: User) -> str:
        world = state().world
        thing, version = _linked(state(), user, kind, object_id)
        if isinstance(thing, Document):
            folders = [world.container(thing.library, n) for n in thing.folders]
            path = world.path(folders[0]) if folders and folders[0] else []
            return render_template("document.html", user=user, document=thing, version=version, path=path)
        return render_template(
            "container.html",
            user=user,
            container=thing,
            path=world.path(thing),
            folders=[one for one in world.folders_in(thing) if world.may(user, one, "read")],
            documents=[one for one in world.documents_in(thing) if world.may(user, one, "read")],
        )

    return _signed_in(show)


@blueprint.get("/work/link/d/<object_id>/download")
def link_download(object_id: str) -> str | Response:
    def send(user: User) -> Response:
        _, version = _linked(state(), user, "d", object_id)
        return send_bytes(version) if version else abort(404)

    return _signed_in(send)


def _linked(
    practice: State, user: User, kind: str, object_id: str
) -> tuple[Container | Document, Version | None]:
    """The target of a link; 404 if the user may not see it."""
    name, _, rest = object_id.rpartition("!")
    number, _, version = rest.partition(".")
    library = practice.world.library(name)
    if library is None or not number.isdecimal() or kind not in ("d", "f", "w"):
        abort(404)
    thing: Any = (practice.world.document if kind == "d" else practice.world.container)(
        library.id, int(number)
    )
    if thing is None or not practice.world.may(user, thing, "read"):
        abort(404)
    if kind != "d":
        return thing, None
    found = thing.version(int(version)) if version.isdecimal() else thing.latest
    return thing, found or abort(404)


@blueprint.get("/work/web/practice.css")
def style() -> Response:
    return Response(render_template("practice.css"), content_type="text/css;charset=UTF-8")
