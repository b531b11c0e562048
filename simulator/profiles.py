"""Profiles of documents, folders and workspaces as JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from hashlib import md5, sha256
from typing import Any
from urllib.parse import urlsplit

from flask import g

from simulator.doctypes import CLASSES, DESCRIPTION_OF, SUBCLASSES
from simulator.values import DEFAULTS, LEVELS, Category, Container, Document, Email, Security, Version
from simulator.web import base_url, call_faults, me, state

Row = dict[str, Any]
DOCUMENT_OPERATIONS = [
    "archive",
    "copy",
    "create_new_version",
    "declare",
    "delete",
    "freeze",
    "lock",
    "move",
    "relate",
    "replace",
    "restore",
    "set_security",
    "undeclare",
    "unfreeze",
    "unlock",
    "update",
]


@lru_cache(maxsize=65536)
def stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def person(user_id: str) -> str:
    user = state().world.user(user_id)
    return user.full_name if user else user_id


def checksum(version: Version) -> str | None:
    dial, digest = state().settings.checksum, version.content.sha256
    if "absent_checksum" in call_faults() or dial == "absent":
        return None
    if "wrong_checksum" in call_faults() or dial == "wrong":
        return "SHA256:" + "0" * 64
    if dial == "md5":
        return "MD5:" + md5(b"".join(version.content.blocks()), usedforsecurity=False).hexdigest().upper()
    if dial == "lower_case":
        return digest
    if (
        dial == "other_bytes"
    ):  # of an encrypted or converted copy, say: as stable as the content, but not its hash
        return "SHA256:" + sha256(digest.encode()).hexdigest().upper()
    return "SHA256:" + digest.upper()


def web_link(kind: str, object_id: str) -> str:
    return f"{base_url()}/work/link/{kind}/{object_id}"


def _workspace_and_access(document: Document) -> tuple[Container | None, str]:
    """The workspace and the caller's access, cached per call for the documents of one folder."""
    world, own = state().world, document.security != Security()
    seen: dict[Any, tuple[Container | None, str]] = g.setdefault("surroundings", {})
    key = document.key if own else (document.library, document.folders)
    if key not in seen:
        folder = world.container(document.library, document.folders[0])
        workspace = world.container(document.library, folder.workspace) if folder else None
        seen[key] = (workspace, world.access(me(), document))
    return seen[key]


def document_row(document: Document, version: Version | None = None) -> Row:
    """A document's profile as in lists."""
    version = version or document.latest
    workspace, access = _workspace_and_access(document)
    lock = document.lock
    row: Row = {
        "id": document.id(version),
        "database": document.database,
        "document_number": document.number,
        "version": version.number,
        "latest": str(document.latest.number),
        "is_latest": version is document.latest,
        "wstype": "email" if version.type == "MIME" else "document",
        "name": version.name,
        "extension": version.extension.upper(),
        "full_file_name": f"{version.name}.{version.extension.upper()}"
        if version.extension
        else version.name,
        "type": version.type,
        "type_description": DESCRIPTION_OF.get(version.type, version.type),
        "content_type": "D",
        "size": max(0, version.content.size + state().settings.size_off),
        "class": version.class_,
        "subclass": version.subclass,
        "comment": version.comment if state().settings.comments == "kept" else "",
        "author": version.author,
        "author_description": person(version.author),
        "operator": version.operator,
        "operator_description": person(version.operator),
        "last_user": version.last_user,
        "last_user_description": person(version.last_user),
        "create_date": stamp(version.created),
        "edit_date": stamp(version.edited),
        "file_create_date": stamp(version.created),
        "file_edit_date": stamp(version.edited),
        "default_security": document.security.default,
        "access": access,
        "is_checked_out": lock is not None,
        "is_in_use": lock is not None,
        "in_use_by": lock.user if lock else "",
        "is_declared": document.declared,
        "is_external": False,
        "is_external_as_normal": False,
        "is_hipaa": False,
        "is_restorable": True,
        "indexable": True,
        "retain_days": 3650,
        **(workspace.custom if workspace else {}),
        **version.profile,
        "workspace_id": workspace.id if workspace else "",
        "workspace_name": workspace.name if workspace else "",
        "iwl": f"iwl:dms={urlsplit(base_url()).netloc}&&lib={document.library}"
        f"&&num={document.number}&&ver={version.number}",
        "document_url": web_link("d", document.id(version)),
    }
    if digest := checksum(version):
        row["checksum"] = digest
    if version.email:
        row |= _email_fields(version.email)
    if state().settings.version_in_profiles == "text":
        row |= {"version": str(version.number), "document_number": str(document.number)}
    if lock:
        row |= {"in_use_by_description": person(lock.user), "checkout_date": stamp(lock.since)}
    return row


def _email_fields(email: Email) -> Row:
    return {
        "from": email.sender,
        "to": email.to,
        "cc": email.cc,
        "bcc": email.bcc,
        "subject": email.subject,
        "sent_date": stamp(email.sent),
        "received_date": stamp(email.received),
        "has_attachment": email.has_attachment,
        "conversation_id": email.conversation,
        "conversation_name": email.subject.removeprefix("Re: "),
    }


def _conversation_count(document: Document, conversation: str) -> int:
    emails = (one.latest.email for one in state().world.documents(document.library))
    return sum(email is not None and email.conversation == conversation for email in emails)


def document_profile(document: Document, version: Version | None = None, operations: bool = False) -> Row:
    """A document's full profile."""
    version = version or document.latest
    row = document_row(document, version)
    lock = document.lock
    row |= {
        "alias": "",
        "class_description": CLASSES.get(version.class_, (version.class_, ()))[0],
        "subclass_description": SUBCLASSES.get(version.class_, {}).get(version.subclass, ""),
        "create_profile_date": stamp(version.created),
        "edit_profile_date": stamp(version.edited),
        "system_edit_date": stamp(version.edited),
        "activity_date": stamp(document.history[-1].at if document.history else version.edited),
        "effective_security": row["access"],
        "is_archived": False,
        "is_related": False,
        "location": "",
        "author_info": {"is_external": False, "allow_logon": True},
    }
    if lock:
        row |= {
            "checkout_comment": lock.comments,
            "checkout_due_date": lock.due_date,
            "checkout_path": lock.path,
        }
    if version.email:
        row["conversation_count"] = _conversation_count(document, version.email.conversation)
    if state().settings.comments == "not_listed":
        row["comment"] = version.comment
    if operations:
        row["operations"] = document_operations(document)
    return row


def document_operations(document: Document) -> Row:
    rank = LEVELS.index(state().world.access(me(), document))
    mine = (document.lock is None or document.lock.user == me().id) and not document.declared
    allowed = {
        "archive": False,
        "copy": rank >= 1,
        "create_new_version": rank >= 2 and mine,
        "declare": rank >= 3 and document.lock is None and mine,
        "delete": rank >= 3 and document.lock is None,
        "freeze": False,
        "lock": rank >= 2 and document.lock is None,
        "move": rank >= 2 and document.lock is None,
        "relate": rank >= 2,
        "replace": rank >= 2 and mine,
        "restore": False,
        "set_security": rank >= 3,
        "undeclare": False,
        "unfreeze": False,
        "unlock": document.lock is not None and (document.lock.user == me().id or rank >= 3),
        "update": rank >= 2 and document.lock is None and mine,
    }
    return {name: allowed[name] for name in DOCUMENT_OPERATIONS}


def container_row(container: Container) -> Row:
    """A workspace's or folder's profile."""
    world = state().world
    workspace = world.container(container.library, container.workspace)
    row: Row = {
        "id": container.id,
        "database": container.database,
        "name": container.name,
        "description": container.description,
        "owner": container.owner,
        "owner_description": person(container.owner),
        "default_security": container.security.default,
        **_effective_security(container),
        "has_subfolders": bool(world.folders_in(container)),
        "create_date": stamp(container.created),
        "edit_date": stamp(container.edited),
        "is_external": False,
        "wstype": container.kind,
        "iwl": f"iwl:dms={urlsplit(base_url()).netloc}&&lib={container.library}&&num={container.number}&&ver=1",
    }
    if container.kind == "workspace":
        return row | {
            "document_number": container.number,
            "version": 1,
            "last_user": container.owner,
            "subclass": "",
            "is_hipaa": False,
            "workspace_url": web_link("w", container.id),
            **container.custom,
        }
    return row | {
        **_kind_of_folder(container),
        "parent_id": f"{container.library}!{container.parent}",
        "workspace_id": f"{container.library}!{container.workspace}",
        "workspace_name": workspace.name if workspace else "",
        "has_documents": bool(world.documents_in(container)),
        "inherited_default_security": workspace.security.default if workspace else "",
        "email": "",
        "profile": {
            "class": "DOC",
            "subclass": "",
            **(workspace.custom if workspace else {}),
            **container.custom,
        },
        "folder_url": web_link("f", container.id),
    }


_OTHER_WORDS = {"no_access": "none", "read": "reader", "read_write": "contributor", "full_access": "owner"}


def _effective_security(container: Container) -> Row:
    access, dial = state().world.access(me(), container), state().settings.effective_security
    if dial == "absent":
        return {}
    return {"effective_security": _OTHER_WORDS[access] if dial == "other_words" else access}


def _kind_of_folder(container: Container) -> Row:
    """The fields that tell folders, tabs and search folders apart; the marks of a search folder are a setting."""
    search = container.folder_type == "search"
    marks = state().settings.search_folder_marks if search else ("folder_type",)
    view = {"search": "document_search", "tab": "none"}.get(container.folder_type, "document")
    return {
        "folder_type": container.folder_type if "folder_type" in marks else "regular",
        "view_type": "document" if search and "view_type" not in marks else view,
        "is_container_saved_search": False,
        "is_content_saved_search": search and "saved_search" in marks,
    }


def takes_documents(container: Container) -> bool:
    """Whether documents can be stored in the container. Workspaces and virtual containers take none."""
    return container.kind == "folder" and container.folder_type in state().settings.document_containers


def category_row(category: Category) -> Row:
    """A category of favourites or My Matters: no container, and opened by a path of its own."""
    row = {
        "id": category.id,
        "database": category.database,
        "name": category.name,
        "category_type": category.kind,
        "wstype": "category",
        "folder_type": "category",
        "has_subfolders": bool(category.entries),
    }
    if state().settings.category_rows == "without_wstype":
        del row["wstype"], row["folder_type"]
    return row


def shortcut_row(container: Container, number: int) -> Row:
    """A shortcut to a container, as in favourites and My Matters."""
    target = container_row(container)
    return {
        **target,
        "wstype": f"{container.kind}_shortcut",
        "shortcut_id": f"{container.library}!{number}",
        "target": {key: target[key] for key in ("id", "name", "wstype", "database")}
        | {"type": container.kind, "document_number": container.number},
    }


def operations_of(container: Container) -> Row:
    """The caller's operations on a workspace or folder. The names for folders are invented: none are published."""
    rank = LEVELS.index(state().world.access(me(), container))
    if container.kind == "workspace":
        return {
            "add_folders": rank >= 2,
            "add_custom_folders": rank >= 2,
            "change_name": rank >= 3,
            "modify": rank >= 2,
            "remove": rank >= 3,
            "remove_folders": rank >= 3,
            "set_default_security": rank >= 3,
            "set_security": rank >= 3,
            "update_content_shortcut": rank >= 2,
            "default_security_values": list(DEFAULTS),
        }
    return {
        "add_documents": rank >= 2 and takes_documents(container),
        "add_folders": rank >= 2,
        "change_name": rank >= 2,
        "modify": rank >= 2,
        "remove": rank >= 3,
        "set_security": rank >= 3,
    }
