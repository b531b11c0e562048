"""New documents, new versions and replaced files, from the parts `profile` and `file`."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from flask import Response, request

from simulator.changes import email_of, profile_changes
from simulator.contents import Content, as_content
from simulator.doctypes import CLASSES, EXTENSION_OF, type_of
from simulator.forms import FILE_PARTS
from simulator.incoming import Incoming
from simulator.names import checked_name
from simulator.profiles import document_profile, takes_documents
from simulator.rights import security_from
from simulator.values import Activity, Container, Document, Lock, Security, Version
from simulator.web import RefusedError, api_blueprint, container_at, document_at, invalid, me, record, state
from simulator.world import now

blueprint = api_blueprint("uploads")
L = "/libraries/<lib>"
STAMP = b"\n<!-- stored by the practice iManage -->"
SHORT_ANSWER = ("id", "database", "document_number", "version", "name", "extension", "wstype")
KNOWN = {
    "warnings_for_required_and_disabled_fields",
    "keep_locked",
    "inherit_profile_from_folder",
    "audit",
    "doc_profile",
    "user_trustees",
    "group_trustees",
}
Row = dict[str, Any]


def _parts(new: bool) -> tuple[Row, Incoming]:
    """The profile and the file of a multipart request, for a new document or not. The file is already on disk."""
    if request.mimetype != "multipart/form-data":
        raise RefusedError(415, "NRC_INVALID_PARAM", "The body must be multipart/form-data", "body")
    file = next((request.files[name] for name in FILE_PARTS if name in request.files), None)
    text: str | bytes | None = request.form.get("profile")
    if text is None and "profile" in request.files:
        text = request.files["profile"].stream.read()
    if text is None:
        raise invalid("profile", "The profile part is missing")
    if file is None or not isinstance(file.stream, Incoming):
        raise invalid("file", "The file part is missing")
    try:
        profile = json.loads(text)
    except ValueError as error:
        raise invalid("profile", "The profile is not JSON") from error
    if not isinstance(profile, dict) or not isinstance(profile.get("doc_profile", {}), dict):
        raise invalid("profile", "The profile must be a JSON object")
    settings = state().settings
    for name in profile:
        if name not in KNOWN and not settings.lenient:
            raise invalid(name, f"{name} is not known in a profile")
    limit = settings.max_upload_bytes
    if limit is not None and file.stream.length > limit:
        text = f"The file is larger than {limit} bytes"
        raise RefusedError(settings.too_large_status, "NRC_TOO_LARGE", text, "file")
    return _taken(profile, new), file.stream


def _taken(profile: Row, new: bool) -> Row:
    """The profile with the fields that the server takes; others are refused by name or dropped."""
    settings, given = state().settings, profile.get("doc_profile", {})
    refused = settings.fields_refused if new else settings.version_fields_refused
    for name in refused:
        if name in profile or name in given:
            raise invalid(name, f"{name} cannot be set here")
    ignored = settings.fields_ignored if new else settings.version_fields_ignored
    kept = {name: value for name, value in profile.items() if name not in ignored}
    return kept | {"doc_profile": {name: given[name] for name in given if name not in ignored}}


def _named(given: Row) -> Row:
    """Profile changes with matching type and extension; one of the two is required."""
    changes = profile_changes(given)
    if not changes.get("type") and not changes.get("extension"):
        raise invalid("extension", "Either type or extension is required")
    changes.setdefault("extension", EXTENSION_OF.get(changes.get("type", ""), ""))
    changes["type"] = _type(changes.get("type", ""), changes["extension"])
    return changes


def _type(given: str, extension: str) -> str:
    """The type to store: the one given, or that of the extension. What servers do with others is a setting."""
    settings = state().settings
    known = EXTENSION_OF.keys() - set(settings.types_missing)
    by_extension = type_of(extension, "", settings.types_missing)
    if settings.extension_needs_type and extension and not by_extension:
        raise invalid("extension", f"No type is configured for {extension}")
    if given in known or (given and settings.unknown_types == "kept"):
        return given
    if given and settings.unknown_types == "refused":
        raise invalid("type", f"There is no type {given}")
    return by_extension or settings.fallback_type


def _warnings(profile: Row, changes: Row) -> list[Row]:
    """Missing required fields: warnings if the request asks for them, an error otherwise."""
    given = {**profile.get("doc_profile", {}), "comment": changes.get("comment", "")}
    missing = [name for name in required_fields(changes.get("class_", "DOC")) if not given.get(name)]
    return warnings_about(missing, bool(profile.get("warnings_for_required_and_disabled_fields")))


def warnings_about(missing: list[str], flagged: bool) -> list[Row]:
    """A warning for each missing required field; unless `flagged`, the first one is refused."""
    if missing and not flagged:
        raise invalid(missing[0], f"{missing[0]} is required for this class")
    return [{"field": name, "error": "This field is required"} for name in missing]


def required_fields(name: str) -> list[str]:
    """The required fields of a class."""
    return list(state().settings.required_fields.get(name, CLASSES[name][1]))


def _carried(given: Row) -> dict[str, str]:
    return {name: str(value) for name, value in given.items() if name.startswith("custom") and value}


def _security(profile: Row) -> Security:
    given = profile.get("doc_profile", {})
    trustees = profile.get("user_trustees") or given.get("user_trustees") or []
    return security_from(given.get("default_security") or "inherit", trustees)


def _lock(profile: Row) -> Lock | None:
    return Lock(me().id, now()) if profile.get("keep_locked") else None


def _comment(profile: Row) -> str:
    audit = profile.get("audit")
    return str(audit.get("comments", "")) if isinstance(audit, dict) else ""


def _refuse_duplicate(folder: Container, name: str, extension: str) -> None:
    wanted = (name.casefold(), extension)
    for one in state().world.documents_in(folder):
        if (one.latest.name.casefold(), one.latest.extension) == wanted:
            text = f"{name} is already in this folder"
            raise RefusedError(state().settings.duplicate_status, "NRC_DUPLICATE_NAME", text, "name")


@blueprint.post(f"{L}/folders/<container_id>/documents")
def new_document(container_id: str) -> Response:
    folder = container_at(container_id, "folder", "read_write")
    require_place(folder)
    profile, stream = _parts(new=True)
    given = profile.get("doc_profile", {})
    changes = _named(given)
    changes["name"] = changes.get("name") or checked_name(given.get("name"), "name")
    warnings = _warnings(profile, changes)
    security = _security(profile)
    world, at, user = state().world, now(), me().id
    with world.lock:
        if not state().settings.duplicate_names:
            _refuse_duplicate(folder, changes["name"], changes["extension"])
        people: Row = {"author": user, "operator": user, "last_user": user} | changes
        email = email_of(given, at) if changes["type"] == "MIME" else None
        version = Version(number=1, created=at, edited=at, content=_content(stream), email=email, **people)
        document = Document(
            folder.library,
            world.take_number(folder.library),
            (folder.number,),
            (replace(version, profile=_carried(given)),),
            security,
            _lock(profile),
            (Activity("Create", 1, user, at, 1, _comment(profile)),),
        )
        world.put_document(document)
    extra_fields = {"warnings": warnings} if warnings else {}
    return _answer(document_profile(document), state().settings.upload_status, **extra_fields)


def _answer(profile: Row, status: int = 200, **extra_fields: Any) -> Response:
    """What an upload is answered with: the profile, or a few of its fields by the setting `upload_answer`."""
    if state().settings.upload_answer == "short":
        profile = {name: profile[name] for name in SHORT_ANSWER}
    return record(profile, status, **extra_fields)


def _content(stream: Incoming) -> Content:
    """The stored content: the same bytes, or with a stamp appended by the setting `stored`."""
    content = stream.publish()
    if state().settings.stored == "stamped":
        return as_content(b"".join(content.blocks()) + STAMP)
    return content


def require_place(folder: Container) -> None:
    """Require a container that takes documents."""
    if not takes_documents(folder):
        text = f"A folder of type {folder.folder_type} takes no documents"
        raise RefusedError(400, "NRC_INVALID_PARAM", text, "folder_id")


def require_writable(document: Document) -> None:
    """Require that the document is no record, and not checked out by another user."""
    if document.declared:
        raise RefusedError(403, "NRC_DECLARED", "The document is declared as a record and cannot be edited")
    if document.lock and document.lock.user != me().id:
        raise RefusedError(
            state().settings.checked_out_status,
            "NRC_IN_USE",
            f"The document is checked out by {document.lock.user}",
        )


def _add_version(document: Document, profile: Row, content: Content, changes: Row) -> Document:
    last, at, user = document.latest, now(), me().id
    people: Row = {"operator": user} | changes
    version = replace(
        last,
        **people,
        number=last.number + 1,
        last_user=user,
        created=at,
        edited=at,
        content=content,
        profile={**last.profile, **_carried(profile.get("doc_profile", {}))},
    )
    line = Activity("Create Version", 3, user, at, version.number, _comment(profile))
    return replace(
        document,
        versions=(*document.versions, version),
        history=(*document.history, line),
        lock=_lock(profile),
    )


@blueprint.post(f"{L}/documents/<doc>/versions")
def new_version(doc: str) -> Response:
    document, _ = document_at(doc, "read_write")
    require_writable(document)
    profile, stream = _parts(new=False)
    changes = _version_changes(profile, document.latest)
    with state().world.lock:
        current, _ = document_at(doc, "read_write", latest=True)  # it may have changed during the upload
        require_writable(current)
        stored = state().world.put_document(_add_version(current, profile, _content(stream), changes))
    return _answer(document_profile(stored), state().settings.upload_status)


def _version_changes(profile: Row, last: Version) -> Row:
    """A version's profile may be nearly empty; missing fields are taken from the previous version."""
    given = profile.get("doc_profile", {})
    if not given.get("extension") and not given.get("type"):
        given = given | {"extension": last.extension}
    return _named(given)


@blueprint.put(f"{L}/documents/<doc>/file")
def replace_file(doc: str) -> Response:
    """Replace the content of a version; the profile stays."""
    require_writable(document_at(doc, "read_write")[0])
    profile, stream = _parts(new=False)
    changes: Row = {
        k: v for k, v in profile_changes(profile.get("doc_profile", {})).items() if k in ("extension", "type")
    }
    world, at, user = state().world, now(), me().id
    with world.lock:
        document, version = document_at(doc, "read_write")
        require_writable(document)
        changed = replace(
            version, **changes, content=_content(stream), edited=at, last_user=user, operator=user
        )
        stored = world.put_document(
            replace(
                document,
                versions=tuple(changed if one.number == version.number else one for one in document.versions),
                history=(
                    *document.history,
                    Activity("Replace", 5, user, at, version.number, _comment(profile)),
                ),
                lock=_lock(profile),
            )
        )
    return _answer(document_profile(stored, changed))
