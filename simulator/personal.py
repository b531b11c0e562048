"""A user's own lists: recent workspaces, My Matters and favourites, and the categories in them."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Response, g

from simulator.profiles import Row, category_row, container_row, document_row, shortcut_row
from simulator.search import cut, requested
from simulator.values import Category, Container, Document
from simulator.web import (
    RefusedError,
    api_blueprint,
    body_json,
    both,
    library,
    listing,
    me,
    not_found,
    page_of,
    split_id,
    state,
    visible,
)

blueprint = api_blueprint("personal")
L = "/libraries/<lib>"
RECENT = 20


def _workspaces() -> list[Container]:
    return [one for each in g.libraries for one in visible(state().world.workspaces(each.id))]


def _recent() -> list[Container]:
    return sorted(_workspaces(), key=lambda one: (one.edited, one.number), reverse=True)[:RECENT]


@both(blueprint, "recent-workspaces")
def recent_workspaces() -> Response:
    rows, total = page_of(_recent())
    return listing([container_row(one) for one in rows], "results", total_count=total)


@blueprint.post(f"{L}/recent-workspaces")
def recent_workspaces_with_fields() -> Response:
    """The same with the fields that the body asks for."""
    wanted = requested(body_json("profile_fields", "limit", "filters").get("profile_fields"), "workspace")
    rows, total = page_of(_recent())
    return listing([cut(container_row(one), wanted) for one in rows], total_count=total)


@blueprint.get(f"{L}/users/<user>/my-matters/children")
def my_matters(user: str) -> Response:
    _only_own(user)
    mine = [one for one in _workspaces() if one.owner == me().id or me().id in dict(one.security.trustees)]
    return _list("my_matters", mine, 900000)


@both(blueprint, "my-favorites/children")
def my_favourites() -> Response:
    world = state().world
    found = [world.container(*key) or world.document(*key) for key in world.favourites[me().id]]
    names = {one.id for one in g.libraries}
    return _list("my_favorites", visible(one for one in found if one and one.library in names), 800000)


@blueprint.get(f"{L}/my-favorites/categories/<category_id>/children")
def favourites_category(category_id: str) -> Response:
    return _entries("my_favorites", category_id)


@blueprint.get(f"{L}/users/<user>/my-matters/categories/<category_id>/children")
def matters_category(user: str, category_id: str) -> Response:
    _only_own(user)
    return _entries("my_matters", category_id)


def _only_own(user: str) -> None:
    if user.upper() != me().id.upper():
        raise RefusedError(
            403, "NRC_ACCESS_DENIED", "You do not have access to the My Matters of another user"
        )


def _list(kind: str, entries: Iterable[Container | Document], shortcuts_from: int) -> Response:
    """The user's categories, then the entries that are in none of them."""
    names = {one.id for one in g.libraries}
    own = [one for one in state().world.categories.values() if one.user == me().id and one.kind == kind]
    own = [one for one in own if one.library in names]
    inside = {key for one in own for key in one.entries}
    found = [*own, *(one for one in entries if one.key not in inside)]
    rows, total = page_of(found)
    return listing([_row(one, shortcuts_from) for one in rows], total_count=total)


def _entries(kind: str, category_id: str) -> Response:
    world = state().world
    category = world.categories.get((library().id, split_id(category_id)[0]))
    if category is None or category.user != me().id or category.kind != kind:
        raise not_found("The category")
    found = [world.container(*key) or world.document(*key) for key in category.entries]
    rows, total = page_of(visible(one for one in found if one))
    return listing([_row(one, 700000) for one in rows], total_count=total)


def _row(one: Container | Document | Category, shortcuts_from: int) -> Row:
    if isinstance(one, Category):
        return category_row(one)
    return document_row(one) if isinstance(one, Document) else shortcut_row(one, shortcuts_from + one.number)
