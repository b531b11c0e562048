"""New documents, new versions and replaced files, from the parts `profile` and `file`."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from flask import Response, request

from simulator.changes import profile_changes
from simulator.contents import Content, as_content
from simulator.doctypes import CLASSES, EXTENSION_OF, type_of
from simulator.incoming import Incoming
from simulator.names import checked_name
from simulator.profiles import document_profile
from simulator.values import LEVELS, Activity, Container, Document, Lock, Security, Version
from simulator.web import RefusedError, api_blueprint, container_at, document_at, invalid, me, record, state
from simulator.world import now

blueprint = api_blueprint("uploads")
L = "/libraries/<lib>"
STAMP = b"\n<!-- stored by the practice iManage -->"
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


def _parts() -> tuple[Row, Incoming]:
    """The profile and the file of a multipart request. The file is already on disk."""
    if request.mimetype != "multipart/form-data":
        raise RefusedError(415, "NRC_INVALID_PARAM", "The body must be multipart/form-data", "body")
    file = request.files.get("file") or request.files.get("myFile")
    text: str | bytes | None = request.form.get("profile")
    if text is None and (part := request.files.get("profile")):
        text = part.stream.read()
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
    for name in profile:
        if name not in KNOWN:
            raise invalid(name, f"{name} is not known in a profile")
    limit = state().settings.max_upload_bytes
    if limit is not None and file.stream.length > limit:
        raise RefusedError(413, "NRC_TOO_LARGE", f"The file is larger than {limit} bytes", "file")
    return profile, file.stream


def _named(given: Row) -> Row:
    """Profile changes with matching type and extension; one of the two is required."""
    changes = profile_changes(given)
    if not changes.get("type") and not changes.get("extension"):
        raise invalid("extension", "Either type or extension is required")
    changes.setdefault("extension", EXTENSION_OF.get(changes.get("type", ""), ""))
    if changes.get("type") not in EXTENSION_OF:
        changes["type"] = type_of(changes["extension"])
    return changes


def _warnings(profile: Row, changes: Row) -> list[Row]:
    """Missing required fields: warnings if the request asks for them, an error otherwise."""
    given = {**profile.get("doc_profile", {}), "comment": changes.get("comment", "")}
    required = CLASSES[changes.get("class_", "DOC")][1]
    missing = [name for name in required if not given.get(name)]
    if missing and not profile.get("warnings_for_required_and_disabled_fields"):
        raise invalid(missing[0], f"{missing[0]} is required for this class")
    return [{"field": name, "error": "This field is required"} for name in missing]


def _carried(given: Row) -> dict[str, str]:
    return {name: str(value) for name, value in given.items() if name.startswith("custom") and value}


def _security(profile: Row) -> Security:
    default = profile.get("doc_profile", {}).get("default_security") or "inherit"
    if default not in ("inherit", "private", "view", "public"):
        raise invalid("default_security")
    trustees = profile.get("user_trustees") or []
    if not isinstance(trustees, list) or not all(isinstance(one, dict) for one in trustees):
        raise invalid("user_trustees")
    pairs = tuple((str(one.get("id", "")).upper(), str(one.get("access_level"))) for one in trustees)
    if any(level not in LEVELS for _, level in pairs):
        raise invalid("user_trustees")
    return Security(default, pairs)


def _lock(profile: Row) -> Lock | None:
    return Lock(me().id, now()) if profile.get("keep_locked") else None


def _comment(profile: Row) -> str:
    audit = profile.get("audit")
    return str(audit.get("comments", "")) if isinstance(audit, dict) else ""


def _refuse_duplicate(folder: Container, name: str, extension: str) -> None:
    wanted = (name.casefold(), extension)
    for one in state().world.documents_in(folder):
        if (one.latest.name.casefold(), one.latest.extension) == wanted:
            raise RefusedError(409, "NRC_DUPLICATE_NAME", f"{name} is already in this folder", "name")


@blueprint.post(f"{L}/folders/<container_id>/documents")
def new_document(container_id: str) -> Response:
    folder = container_at(container_id, "folder", "read_write")
    profile, stream = _parts()
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
        version = Version(number=1, created=at, edited=at, content=_content(stream), **people)
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
    return record(document_profile(document), state().settings.upload_status, **extra_fields)


def _content(stream: Incoming) -> Content:
    """The stored content: the same bytes, or with a stamp appended by the setting `stored`."""
    content = stream.publish()
    if state().settings.stored == "stamped":
        return as_content(b"".join(content.blocks()) + STAMP)
    return content


def _writable(document: Document) -> None:
    if document.lock and document.lock.user != me().id:
        raise RefusedError(
            state().settings.checked_out_status,
            "NRC_IN_USE",
            f"The document is checked out by {document.lock.user}",
        )


def _add_version(document: Document, profile: Row, content: Content, changes: Row) -> Document:
    last, at, user = document.latest, now(), me().id
    version = replace(
        last,
        **{"operator": user} | changes,
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
    _writable(document)
    profile, stream = _parts()
    changes = _version_changes(profile, document.latest)
    with state().world.lock:
        current, _ = document_at(doc, "read_write", latest=True)  # it may have changed during the upload
        _writable(current)
        stored = state().world.put_document(_add_version(current, profile, _content(stream), changes))
    return record(document_profile(stored), state().settings.upload_status)


def _version_changes(profile: Row, last: Version) -> Row:
    """A version's profile may be nearly empty; missing fields are taken from the previous version."""
    given = profile.get("doc_profile", {})
    if not given.get("extension") and not given.get("type"):
        given = given | {"extension": last.extension}
    return _named(given)


@blueprint.put(f"{L}/documents/<doc>/file")
def replace_file(doc: str) -> Response:
    """Replace the content of a version; the profile stays."""
    _writable(document_at(doc, "read_write")[0])
    profile, stream = _parts()
    changes = {
        k: v for k, v in profile_changes(profile.get("doc_profile", {})).items() if k in ("extension", "type")
    }
    world, at, user = state().world, now(), me().id
    with world.lock:
        document, version = document_at(doc, "read_write")
        _writable(document)
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
    return record(document_profile(stored, changed))
