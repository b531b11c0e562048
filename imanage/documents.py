"""Documents: search, profiles, versions, uploads, and links to them in iManage's web client."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace as changed
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from . import profiles, search_folders
from .client import Client
from .downloads import Download, download
from .errors import (
    ConflictError,
    ImanageError,
    NotUnderstoodError,
    OutcomeUnknownError,
    RejectedError,
    TooLargeError,
)
from .ids import DocumentId, VersionId, library_of, library_path, object_path, segment
from .libraries import of_customer
from .responses import Listing, page, record
from .server_facts import ServerFacts
from .types import Document, Endpoints, FieldWarning, Page, Stored
from .uploads import Multipart, Upload

__all__ = [
    "Download",
    "Upload",
    "add_version",
    "by_number",
    "create",
    "document_link",
    "download",
    "folder_documents",
    "id_link",
    "link_path",
    "profile",
    "profile_part",
    "replace",
    "search",
    "versions",
]

PAGE = 100
# What a document can be stored without, if the server refuses it by name.
_LEFT_OUT = frozenset(
    {
        "checksum",
        "comment",
        "inherit_profile_from_folder",
        "keep_locked",
        "size",
        "type",
        "warnings_for_required_and_disabled_fields",
    }
)
_NAMES_IN_WORDS = _LEFT_OUT - {"size", "type"}
_WORD = re.compile(r"\w+")
_TOO_LARGE = re.compile(r"\b(larger?|exceeds?|maximum|limit)\b", re.IGNORECASE)
DEFAULT_ROWS = 500
"""The rows of a list without a limit, as iManage documents it."""


def search(
    client: Client,
    text: str,
    library: str | None = None,
    container_id: str | None = None,
    limit: int = PAGE,
    offset: int = 0,
    *,
    preferred: str = "",
) -> Page[Document]:
    """The latest versions of documents whose profile or content contains the text.

    Without a text: every document in a container and its subfolders.
    """
    scope = library or (library_of(container_id) if container_id else None)
    limit = client.facts.limit(limit)
    params: dict[str, str | int] = {
        "latest": "true",
        "limit": limit,
        "offset": offset,
        "total": "true",
    }
    if text:
        params["anywhere"] = text
    if container_id:
        params["container_id"] = container_id
    if scope is None:
        read = partial(profiles.document_or_none, facts=client.facts)
        return of_customer(client, "documents", params, read, offset, limit, preferred=preferred)
    found = client.lists("GET", library_path(scope, "documents"), params=params)
    return _page(client, found, offset, limit)


def by_number(
    client: Client, number: int, library: str | None = None, *, preferred: str = ""
) -> Page[Document]:
    """The latest version of the document with this number, in one library or in each that has one.

    The rows are compared again, because a server may ignore the filter.
    """
    limit = client.facts.limit(PAGE)
    params: dict[str, str | int] = {"document_number": number, "latest": "true", "limit": limit, "offset": 0}
    if library:
        found = _page(
            client, client.lists("GET", library_path(library, "documents"), params=params), 0, limit
        )
    else:
        read = partial(profiles.document_or_none, facts=client.facts)
        found = of_customer(client, "documents", params, read, 0, limit, preferred=preferred)
    latest: dict[DocumentId, Document] = {}
    for each in found.items:
        known = latest.get(each.id.document)
        if each.id.number == number and (known is None or known.version < each.version):
            latest[each.id.document] = each
    return changed(found, items=tuple(latest.values()))


def folder_documents(client: Client, folder_id: str, offset: int = 0, limit: int = PAGE) -> Page[Document]:
    """The documents of a folder, without its subfolders."""
    limit = client.facts.limit(limit)
    params = {"limit": limit, "offset": offset, "total": "true"}
    path = object_path("folders", folder_id, "documents")
    return search_folders.or_browse(
        client,
        folder_id,
        lambda: _page(client, client.lists("GET", path, params=params), offset, limit),
        partial(profiles.document_or_none, facts=client.facts),
        offset,
        limit,
    )


def profile(client: Client, id: VersionId, latest: bool = False, operations: bool = False) -> Document:
    """The profile of one version, or of the latest one with `latest`."""
    params = {
        name: "true"
        for name, wanted in {"is_latest": latest, "include_operations": operations}.items()
        if wanted
    }
    return profiles.document(client.data("GET", _of(id), params=params), client.facts)


def versions(client: Client, id: VersionId) -> Page[Document]:
    """Every version of the document that the user may see, oldest first."""
    path, limit = _of_all(client, id, "versions"), client.facts.limit(DEFAULT_ROWS)
    found = client.lists("GET", path)
    if not (found.rows or found.malformed):
        raise NotUnderstoodError("iManage returned a document without versions.")
    read: dict[VersionId, Document] = {}
    entries = 0
    while True:
        rows = map(partial(profiles.document_or_none, facts=client.facts), found.rows)
        new = {each.id: each for each in rows if each is not None and each.id not in read}
        read |= new
        entries += len(found.rows) + found.malformed
        is_full = bool(new) and len(found.rows) + found.malformed >= limit
        if not (is_full and client.facts.has_pages):
            break
        found = client.lists("GET", path, params={"limit": limit, "offset": entries})
    items = tuple(sorted(read.values(), key=lambda each: each.version))
    return Page(items, len(items), False, None, entries - len(items))


def create(client: Client, folder_id: str, upload: Upload) -> Stored:
    """Store a new document in a folder."""
    body = profile_part(
        client.facts,
        upload,
        {**upload.profile, "name": upload.name},
        client.facts.new_fields_refused,
        inherit_profile_from_folder=True,
    )
    try:
        return _store(client, "POST", object_path("folders", folder_id, "documents"), body, upload)
    except ConflictError as error:
        # A document that is not there yet cannot be checked out: its name is taken, say.
        raise ConflictError(
            code="imanage.conflict.new_document",
            status=error.status,
            remote_code=error.remote_code,
            remote_message=error.remote_message,
            fields=error.fields,
        ) from error


def add_version(client: Client, id: VersionId, upload: Upload) -> Stored:
    """Store a new version of the document."""
    body = profile_part(client.facts, upload, {}, client.facts.version_fields_refused)
    return _store(client, "POST", _of_all(client, id, "versions"), body, upload)


def replace(client: Client, id: VersionId, upload: Upload) -> Stored:
    """Replace the content of one version."""
    body = profile_part(client.facts, upload, {}, client.facts.version_fields_refused)
    return _store(client, "PUT", _of(id, "file"), body, upload)


def document_link(endpoints: Endpoints, document: Document) -> str:
    """The link to this version in the web client, always on the host where users sign in."""
    return _checked_link(endpoints, document.url) or id_link(endpoints, document.id)


def id_link(endpoints: Endpoints, id: VersionId) -> str:
    """The same from the id alone."""
    return f"{endpoints.browser}{link_path(id)}"


def link_path(id: VersionId) -> str:
    """The path of that link."""
    return f"/work/link/d/{segment(str(id))}"


def _checked_link(endpoints: Endpoints, url: str | None) -> str | None:
    """The link in a profile, if it belongs to this server: profiles are not trusted."""
    if not url or not url.isascii() or not url.isprintable() or any(sign in url for sign in ' \\"<>'):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or "@" in parts.netloc or not parts.hostname:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = 443 if parts.scheme == "https" else 80
    origin = f"{parts.scheme}://{host}" + ("" if port in {None, default} else f":{port}")
    return url if origin == endpoints.browser else None


def _of(id: VersionId, *parts: str) -> str:
    return object_path("documents", str(id), *parts)


def _of_all(client: Client, id: VersionId, *parts: str) -> str:
    """A path about a document with all its versions: with a version in the id, as iManage's own clients send it."""
    if client.facts.versioned_ids:
        return _of(id, *parts)
    return object_path("documents", str(id.document), *parts)


def _page(client: Client, found: Listing, offset: int, limit: int) -> Page[Document]:
    read = partial(profiles.document_or_none, facts=client.facts)
    return page(found, read, offset, limit, has_pages=client.facts.has_pages)


def profile_part(
    facts: ServerFacts, upload: Upload, named: dict[str, Any], refused: Collection[str], **options: Any
) -> dict[str, Any]:
    """The profile part of an upload, without the fields that this server refuses."""
    extension = upload.extension.lstrip(".").lower()
    described: dict[str, Any] = {
        **named,
        "extension": extension,
        "size": upload.size,
        "checksum": f"SHA256:{upload.sha256.upper()}",
    }
    code = facts.types.get(extension) if extension else facts.fallback_type
    if code:
        described["type"] = code
    if upload.comment:
        described["comment"] = upload.comment
    options = {
        "warnings_for_required_and_disabled_fields": True,
        "keep_locked": upload.keep_locked,
        **options,
    }
    return {
        **{name: value for name, value in options.items() if name not in refused},
        "doc_profile": {name: value for name, value in described.items() if name not in refused},
    }


def _without_refused(
    body: dict[str, Any], refusal: RejectedError
) -> tuple[dict[str, Any], tuple[FieldWarning, ...]]:
    """The body without the fields that were refused by name, and a warning for each; of those that it can do without.

    Where the refusal has no fields, those are meant that its message names.
    """
    words = refusal.remote_message or ""
    if _TOO_LARGE.search(f"{words} {' '.join(refusal.fields.values())}"):
        return body, ()
    named = {field.rpartition(".")[2].lower(): said for field, said in refusal.fields.items()}
    if not named:
        named = dict.fromkeys(_NAMES_IN_WORDS.intersection(_WORD.findall(words.lower())), words)
    profile = body["doc_profile"]
    needed = {
        *({"type"} if not profile.get("extension") else ()),
        *({"keep_locked"} if body.get("keep_locked") else ()),
    }
    left_out = {
        name: said
        for name, said in named.items()
        if name in _LEFT_OUT - needed and (name in profile or body.get(name) is not None)
    }
    kept = {name: value for name, value in body.items() if name not in left_out}
    kept["doc_profile"] = {name: value for name, value in profile.items() if name not in left_out}
    return kept, tuple(
        FieldWarning(name, f"left out, because iManage refused it{f': {said}' if said else ''}")
        for name, said in left_out.items()
    )


def _store(client: Client, method: str, path: str, body: dict[str, Any], upload: Upload) -> Stored:
    if client.facts.largest_upload is not None and upload.size > client.facts.largest_upload:
        raise TooLargeError
    left_out: tuple[FieldWarning, ...] = ()
    try:
        payload = client.multipart(method, path, Multipart(body, upload))
    except RejectedError as refusal:
        # Refused, so nothing was stored: it can be sent again.
        body, left_out = _without_refused(body, refusal)
        if not left_out or not callable(upload.open):
            raise
        fact = "new_fields_refused" if path.endswith("/documents") else "version_fields_refused"
        client.contradictions[fact] = f"{', '.join(each.field for each in left_out)} was refused."
        payload = client.multipart(method, path, Multipart(body, upload))
    try:
        document = profiles.document(record(payload), client.facts)
    except ImanageError as error:
        # The server accepted the upload, but the response does not say what it stored.
        raise OutcomeUnknownError from error
    rows = payload.get("warnings") if isinstance(payload, dict) else None
    return Stored(
        document,
        left_out
        + tuple(
            FieldWarning(
                profiles.text(row, "field") or "",
                profiles.text(row, "error", "message", "code_message") or "",
            )
            for row in (rows if isinstance(rows, list) else [])
            if isinstance(row, dict)
        ),
    )
