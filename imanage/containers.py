"""Libraries, workspaces and folders. One call per page."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from . import profiles, search_folders
from .client import Client, Params
from .errors import ForbiddenError, ImanageError, NotFoundError, RejectedError
from .ids import library_of, library_path, object_path
from .libraries import libraries as libraries
from .libraries import of_customer
from .libraries import of_libraries as of_libraries
from .responses import page
from .types import CategoryType, Container, Document, Page

PAGE = 100
_MOST_FAVOURITES = 500


def recent_workspaces(
    client: Client, library: str | None = None, limit: int = PAGE, *, preferred: str = ""
) -> Page[Container]:
    """The workspaces that the user worked in most recently, of one library or of all."""
    limit = client.facts.limit(limit)
    name, params = "recent-workspaces", {"limit": limit}
    if library:
        return _containers(client, library_path(library, name), params, 0, limit)
    return of_customer(client, name, params, profiles.container_or_none, 0, limit, preferred=preferred)


def my_matters(client: Client, library: str, user_id: str) -> Page[Container | Document]:
    """The workspaces and categories in the user's My Matters."""
    return _items(client, library_path(library, "users", user_id, "my-matters", "children"), {}, 0, PAGE)


def favourites(client: Client, library: str) -> Page[Container | Document]:
    """The user's favourites and their categories; shortcuts are resolved to their targets."""
    limit = client.facts.limit(_MOST_FAVOURITES)
    return _items(client, library_path(library, "my-favorites", "children"), {"limit": limit}, 0, limit)


def category_children(
    client: Client, kind: CategoryType, category_id: str, user_id: str
) -> Page[Container | Document]:
    """What is in a category of favourites or My Matters. Where the path of its own is unknown, it is a folder."""
    own = ("my-favorites",) if kind == "my_favorites" else ("users", user_id, "my-matters")
    path = library_path(library_of(category_id), *own, "categories", category_id, "children")
    limit = client.facts.limit(_MOST_FAVOURITES)
    try:
        return _items(client, path, {"limit": limit}, 0, limit)
    except (NotFoundError, ForbiddenError, RejectedError) as error:
        refusal = error
    try:
        path = object_path("folders", category_id, "children")
        return _items(client, path, {"limit": limit}, 0, limit)
    except ImanageError:
        raise refusal from None


def search_workspaces(
    client: Client,
    text: str,
    library: str | None = None,
    limit: int = PAGE,
    offset: int = 0,
    *,
    preferred: str = "",
) -> Page[Container]:
    """Workspaces whose name contains the text, of one library or of all."""
    limit = client.facts.limit(limit)
    params: Params = {"name": text, **_paging(limit, offset)}
    if library:
        return _containers(client, library_path(library, "workspaces"), params, offset, limit)
    read = profiles.container_or_none
    return of_customer(client, "workspaces", params, read, offset, limit, preferred=preferred)


def workspaces_of_matter(
    client: Client, client_number: str, matter_number: str, *, preferred: str = ""
) -> Page[Container]:
    """The workspaces of a matter, by custom1 (client) and custom2 (matter), as most firms use them.

    The rows are compared again, because a server may ignore the filters. Without a client number, custom2 alone counts.
    """
    numbers = {"custom2": matter_number} | ({"custom1": client_number} if client_number else {})
    params: Params = {**numbers, **_paging(client.facts.limit(PAGE), 0)}
    found = of_customer(
        client, "workspaces", params, profiles.container_or_none, 0, PAGE, preferred=preferred
    )
    return replace(
        found, items=tuple(each for each in found.items if _has(each, client_number, matter_number))
    )


def _has(workspace: Container, client_number: str, matter_number: str) -> bool:
    is_client = not client_number or (workspace.client_number or "").casefold() == client_number.casefold()
    return is_client and (workspace.matter_number or "").casefold() == matter_number.casefold()


def workspace(client: Client, workspace_id: str) -> Container:
    """One workspace."""
    return profiles.container(client.data("GET", object_path("workspaces", workspace_id)))


def workspace_children(
    client: Client, workspace_id: str, limit: int = PAGE, offset: int = 0
) -> Page[Container | Document]:
    """The top-level folders and tabs of a workspace."""
    path = object_path("workspaces", workspace_id, "children")
    limit = client.facts.limit(limit)
    return _items(client, path, _paging(limit, offset), offset, limit)


def folder(client: Client, folder_id: str) -> Container:
    """One folder."""
    return profiles.container(client.data("GET", object_path("folders", folder_id)))


def folder_children(
    client: Client, folder_id: str, offset: int = 0, limit: int = PAGE
) -> Page[Container | Document]:
    """Subfolders and documents of a folder, in the server's order."""
    path = object_path("folders", folder_id, "children")
    limit = client.facts.limit(limit)
    return search_folders.or_browse(
        client,
        folder_id,
        lambda: _items(client, path, _paging(limit, offset), offset, limit),
        partial(profiles.item_or_none, facts=client.facts),
        offset,
        limit,
        is_for_reader=True,
    )


def _paging(limit: int, offset: int) -> dict[str, str | int]:
    return {"limit": limit, "offset": offset, "total": "true"}


def _containers(client: Client, path: str, params: Params, offset: int, limit: int) -> Page[Container]:
    found = client.lists("GET", path, params=params)
    return page(found, profiles.container_or_none, offset, limit, has_pages=client.facts.has_pages)


def _items(client: Client, path: str, params: Params, offset: int, limit: int) -> Page[Container | Document]:
    read = partial(profiles.item_or_none, facts=client.facts)
    return page(
        client.lists("GET", path, params=params), read, offset, limit, has_pages=client.facts.has_pages
    )
