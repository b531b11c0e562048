"""Libraries, workspaces and folders. One call per page."""

from __future__ import annotations

from functools import partial

from . import profiles
from .client import Client, Params
from .ids import library_path, object_path
from .responses import page
from .types import Container, Document, Library, Page

PAGE = 100


def libraries(client: Client) -> tuple[Library, ...]:
    """The document libraries of this customer."""
    rows = client.lists("GET", "libraries").rows
    return tuple(found for found in map(profiles.library, rows) if found is not None)


def recent_workspaces(client: Client, library: str | None = None, limit: int = PAGE) -> Page[Container]:
    """The workspaces that the user worked in most recently."""
    path = library_path(library, "recent-workspaces") if library else "recent-workspaces"
    limit = client.facts.limit(limit)
    return _containers(client, path, {"limit": limit}, 0, limit)


def my_matters(client: Client, library: str, user_id: str) -> Page[Container]:
    """The workspaces in the user's My Matters."""
    return _containers(client, library_path(library, "users", user_id, "my-matters", "children"), {}, 0, PAGE)


def favourites(client: Client, library: str) -> Page[Container | Document]:
    """The user's favourites; shortcuts are resolved to their targets."""
    limit = client.facts.limit(500)
    return _items(client, library_path(library, "my-favorites", "children"), {"limit": limit}, 0, limit)


def search_workspaces(
    client: Client, text: str, library: str | None = None, limit: int = PAGE, offset: int = 0
) -> Page[Container]:
    """Workspaces whose name contains the text."""
    path = library_path(library, "workspaces") if library else "workspaces"
    limit = client.facts.limit(limit)
    params: Params = {"name": text, **_paging(limit, offset)}
    return _containers(client, path, params, offset, limit)


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
    return _items(client, path, _paging(limit, offset), offset, limit)


def _paging(limit: int, offset: int) -> dict[str, str | int]:
    return {"limit": limit, "offset": offset, "total": "true"}


def _containers(client: Client, path: str, params: Params, offset: int, limit: int) -> Page[Container]:
    found = client.lists("GET", path, params=params)
    has_pages = client.facts.paging == "offset"
    return page(found, profiles.container_or_none, offset, limit, has_pages=has_pages)


def _items(client: Client, path: str, params: Params, offset: int, limit: int) -> Page[Container | Document]:
    read = partial(profiles.item_or_none, facts=client.facts)
    has_pages = client.facts.paging == "offset"
    return page(client.lists("GET", path, params=params), read, offset, limit, has_pages=has_pages)
