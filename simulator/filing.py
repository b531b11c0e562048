"""Where documents are: copies, moves, promoted versions, reserved numbers, and the trash."""

from __future__ import annotations

from dataclasses import replace

from flask import Response, request

from simulator.profiles import document_profile, document_row
from simulator.uploads import require_place, require_writable
from simulator.values import Activity, Container, Document, Security, Version
from simulator.web import (
    api_blueprint,
    body_json,
    container_at,
    document_at,
    invalid,
    library,
    listing,
    me,
    not_found,
    page_of,
    record,
    split_id,
    state,
    visible,
)
from simulator.world import now

blueprint = api_blueprint("filing")
L = "/libraries/<lib>"


def _target(folder_id: object) -> Container:
    """A folder that the caller may put documents in."""
    folder = container_at(str(folder_id or ""), "folder", "read_write")
    require_place(folder)
    return folder


@blueprint.post(f"{L}/documents/<doc>/copy")
def copy(doc: str) -> Response:
    """A new document with the content and profile of one version."""
    document, version = document_at(doc)
    folder = _target(body_json("folder_id", "audit").get("folder_id"))
    world, at, user = state().world, now(), me().id
    first = replace(version, number=1, operator=user, last_user=user, created=at, edited=at)
    made = Document(
        folder.library,
        world.take_number(folder.library),
        (folder.number,),
        (first,),
        Security(document.security.default),
        history=(Activity("Copy", 14, user, at, 1),),
    )
    return record(document_profile(world.put_document(made)), state().settings.upload_status)


@blueprint.post(f"{L}/folders/<container_id>/documents/<doc>/move")
def move(container_id: str, doc: str) -> Response:
    """Move a document from one folder to another; its references in others stay."""
    source = container_at(container_id, "folder", "read_write")
    body = body_json("destination_folder_id", "update_profile", "update_security", "audit")
    target = _target(body.get("destination_folder_id"))
    with state().world.lock:
        document, version = document_at(doc, "read_write")
        require_writable(document)
        if source.number not in document.folders:
            raise not_found("The document")
        folders = tuple(dict.fromkeys(target.number if n == source.number else n for n in document.folders))
        line = Activity("Move", 15, me().id, now(), version.number)
        history = (*document.history, line)
        moved = state().world.put_document(replace(document, folders=folders, history=history))
    return record(document_profile(moved, version))


@blueprint.delete(f"{L}/folders/<container_id>/documents/<doc>")
def remove_reference(container_id: str, doc: str) -> Response:
    """Take a document out of a folder. The last reference cannot be removed."""
    folder = container_at(container_id, "folder", "read_write")
    document, _ = document_at(doc, "read_write")
    rest = tuple(number for number in document.folders if number != folder.number)
    if len(rest) == len(document.folders):
        raise not_found("The document")
    if not rest:
        raise invalid("id", "The document is in no other folder")
    state().world.put_document(replace(document, folders=rest))
    return Response(status=204)


@blueprint.post(f"{L}/documents/<doc>/versions/promote")
def promote(doc: str) -> Response:
    """Make the version that the id names the newest, as a new version."""
    with state().world.lock:
        document, version = document_at(doc, "read_write")
        require_writable(document)
        at, user = now(), me().id
        made = replace(
            version, number=document.latest.number + 1, created=at, edited=at, last_user=user, operator=user
        )
        line = Activity("Promote Version", 16, user, at, made.number)
        stored = replace(document, versions=(*document.versions, made), history=(*document.history, line))
        state().world.put_document(stored)
    return record(document_profile(stored, made), state().settings.upload_status)


@blueprint.get(f"{L}/documents/reserve")
def reserve() -> Response:
    """A document number that no other document will get."""
    return record({"document_number": state().world.take_number(library().id), "version": 1})


# -- trash ---------------------------------------------------------------------------------------------------


def _trashed(doc: str) -> tuple[Document, Version]:
    number, wanted = split_id(doc)
    document = state().world.trash.get((library().id, number))
    version = document and (document.latest if wanted is None else document.version(wanted))
    if document is None or not version or not visible([document]):
        raise not_found("The document")
    return document, version


@blueprint.get(f"{L}/trash-bin/documents")
def trash() -> Response:
    """The deleted versions that the caller may see, or those of one `document_number`."""
    wanted = request.args.get("document_number", "")
    found = [
        (document, version)
        for document in visible(one for one in state().world.trash.values() if one.library == library().id)
        for version in document.versions
        if wanted in ("", str(document.number))
    ]
    rows, total = page_of(found)
    return listing([document_row(*one) for one in rows], total_count=total)


@blueprint.post(f"{L}/trash-bin/documents/<doc>/restore")
def restore(doc: str) -> Response:
    """Put a deleted version back: into its document, or as a document in `folder_ids` or where it was."""
    document, version = _trashed(doc)
    body = body_json("comments", "folder_ids", "for_user")
    named = tuple(_target(one).number for one in body.get("folder_ids") or ())
    world = state().world
    with world.lock:
        present = world.document(*document.key)
        if present and present.version(version.number):
            raise invalid("id", "The document has that version")
        versions = sorted((*(present.versions if present else ()), version), key=lambda one: one.number)
        line = Activity("Restore", 17, me().id, now(), version.number, str(body.get("comments") or ""))
        before = present or document
        folders, history = named or before.folders, (*before.history, line)
        kept = replace(before, versions=tuple(versions), folders=folders, history=history)
        world.put_document(kept)
        world.take_from_trash(document, version.number)
        world.log_trash("restored_from_trash", kept)
    return record(document_profile(kept, version))


@blueprint.delete(f"{L}/trash-bin/documents/<doc>")
def purge(doc: str) -> Response:
    """Delete a deleted version for good."""
    document, version = _trashed(doc)
    state().world.take_from_trash(document, version.number)
    state().world.log_trash("purged_from_trash", document)
    return Response(status=204)
