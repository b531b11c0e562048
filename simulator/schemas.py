"""The answers as JSON Schema: the components of the OpenAPI description."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from simulator.events import ACTIONS, ITEM_TYPES
from simulator.fields import FIELDS
from simulator.values import DEFAULTS, LEVELS

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
DATE: Schema = {"type": "string", "format": "date-time", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}
LEVEL: Schema = {"enum": list(LEVELS)}
DEFAULT: Schema = {"enum": list(DEFAULTS)}
_NUMBERS = ("document_number", "version", "size", "retain_days", "conversation_count")
_FLAGS = ("declared", "in_use", "indexable", "has_attachment", "has_documents", "has_subfolders", "arch_req")


def _of(name: str) -> Schema:
    """The schema of a profile field, by its name."""
    if name in _NUMBERS:
        return NUMBER
    if name in _FLAGS or name.startswith(("is_", "wopi_")):
        return FLAG
    if name in ("access", "effective_security"):
        return LEVEL
    if name.endswith("default_security"):
        return DEFAULT
    if name == "checksum":
        return {"type": "string", "pattern": "^SHA256:[0-9A-F]{64}$"}
    if name.endswith("_date") and name != "checkout_due_date":
        return DATE
    return TEXT


def _object(required: str = "", /, **properties: Schema) -> Schema:
    """An object of exactly these properties; all are required unless named."""
    return {
        "type": "object",
        "properties": properties,
        "required": required.split() if required else list(properties),
        "additionalProperties": False,
    }


def _optional(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _map(of: Schema) -> Schema:
    return {"type": "object", "additionalProperties": of}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _profile(kind: str, required: str = "", /, **extra: Schema) -> Schema:
    """A profile with the published fields of a kind, custom fields, and those that differ."""
    made = _optional(**{name: _of(name) for name in sorted(FIELDS[kind])} | extra)
    made["patternProperties"] = {r"^custom([1-9]|[12]\d|3[01])(_description)?$": TEXT}
    return made | ({"required": required.split()} if required else {})


_FLAGS_BY_NAME = _map({"type": ["boolean", "array"]})
_DOCUMENT: Schema = {
    "operations": _map(FLAG),
    "author_info": _object(is_external=FLAG, allow_logon=FLAG),
    "wstype": {"enum": ["document", "email"]},
    "latest": {"type": "string", "pattern": "^[0-9]+$"},
}
_FOLDER: Schema = {
    "wstype": {"const": "folder"},
    "folder_type": {"enum": ["regular", "search", "tab", "category", "my_matters", "my_favorites"]},
    "view_type": {"enum": ["none", "document", "email", "email_search", "document_search"]},
    "profile": _map(TEXT),
}
_CORE = "id database wstype name"
_CLASS = {"class": TEXT}
_PERSON = {"user": TEXT, "user_fullname": TEXT, "count": NUMBER}


@lru_cache(maxsize=1)
def schemas() -> dict[str, Schema]:
    """Every component, by name."""
    workspace: dict[str, Schema] = {"wstype": {"const": "workspace"}}
    folder = _FOLDER
    target = _object(id=TEXT, name=TEXT, wstype=TEXT, database=TEXT, type=TEXT, document_number=NUMBER)
    shortcut = {"shortcut_id": TEXT, "target": target}
    return {
        "Document": _profile(
            "document", f"{_CORE} document_number version latest size type extension", **_DOCUMENT
        ),
        "DocumentPart": _profile("document", **_DOCUMENT),
        "Workspace": _profile("workspace", f"{_CORE} owner effective_security", **workspace),
        "WorkspacePart": _profile("workspace", **workspace),
        "Folder": _profile("folder", f"{_CORE} folder_type view_type parent_id workspace_id", **folder),
        "FolderPart": _profile("folder", **folder),
        "Parent": _profile("folder", f"{_CORE} document_number", **folder, document_number=NUMBER),
        "Container": {"anyOf": [ref("Workspace"), ref("Folder")]},
        "Child": {"anyOf": [ref("Folder"), ref("Document")]},
        "ChildPart": {"anyOf": [ref("FolderPart"), ref("DocumentPart")]},
        "WorkspaceShortcut": _profile(
            "workspace", f"{_CORE} target", **shortcut, wstype={"const": "workspace_shortcut"}
        ),
        "FolderShortcut": _profile(
            "folder", f"{_CORE} target", **folder | shortcut | {"wstype": {"const": "folder_shortcut"}}
        ),
        "Category": _object(
            id=TEXT,
            database=TEXT,
            name=TEXT,
            category_type={"enum": ["my_favorites", "my_matters"]},
            wstype={"const": "category"},
            folder_type={"const": "category"},
            has_subfolders=FLAG,
        ),
        "Own": {"anyOf": [ref(n) for n in ("WorkspaceShortcut", "FolderShortcut", "Document", "Category")]},
        "Names": _FLAGS_BY_NAME,
        "Pairs": _map(TEXT),
        "Library": _object(
            id=TEXT, type={"enum": ["worksite", "linksite"]}, display_name=TEXT, is_hidden=FLAG
        ),
        "Type": _object(id=TEXT, description=TEXT, app_extension=TEXT),
        "Named": _object(id=TEXT, description=TEXT),
        "Class": _object(
            id=TEXT,
            description=TEXT,
            default_security=DEFAULT,
            required_fields=_list(TEXT),
            subclass_required=FLAG,
            indexable=FLAG,
            shadow=FLAG,
            retain=NUMBER,
            hipaa=FLAG,
            database=TEXT,
        ),
        "FormField": _object(name=TEXT, visible=FLAG, required=FLAG, enabled=FLAG, **_CLASS),
        "User": _object(
            id=TEXT,
            full_name=TEXT,
            email=TEXT,
            allow_logon=FLAG,
            is_external=FLAG,
            login=FLAG,
            preferred_library=TEXT,
            user_num=NUMBER,
            user_nos=NUMBER,
            database=TEXT,
            phone=TEXT,
            location=TEXT,
            ssid=TEXT,
        ),
        "Caption": _object(id=TEXT, type=TEXT, label=TEXT, num=NUMBER, locale=TEXT, database=TEXT),
        "Custom": _object(
            "id description enabled", id=TEXT, description=TEXT, enabled=FLAG, parent=_object(id=TEXT)
        ),
        "Template": _object(id=TEXT, name=TEXT, description=TEXT, database=TEXT),
        "Trustee": _object(id=TEXT, full_name=TEXT, type={"const": "user"}, access_level=LEVEL),
        "Security": _object(
            default_security=DEFAULT,
            effective_security=LEVEL,
            user_trustees=_list(ref("Trustee")),
            group_trustees=_list(ref("Trustee")),
        ),
        "Reserved": _object(document_number=NUMBER, version=NUMBER),
        "Checkout": _object(
            comments=TEXT,
            due_date=TEXT,
            location=TEXT,
            path=TEXT,
            in_use_by=TEXT,
            in_use_by_description=TEXT,
            checkout_date=DATE,
        ),
        "HistoryLine": _object(
            activity=TEXT,
            activity_code=NUMBER,
            activity_date=DATE,
            application_name=TEXT,
            user=TEXT,
            user_fullname=TEXT,
            location=TEXT,
            comments=TEXT,
            duration=NUMBER,
            pages_printed=NUMBER,
            has_journal=FLAG,
            document_number=NUMBER,
            version=NUMBER,
            document_id=TEXT,
        ),
        "HistoryUser": _object(**_PERSON),
        "HistoryActivity": _object(activity=TEXT, activity_code=NUMBER, count=NUMBER),
        "Paths": _object(data=_list(_list(ref("Container")))),
        "Event": _object(
            "id action_type item_type object_id event_date",
            id=TEXT,
            action_type={"enum": sorted(ACTIONS)},
            item_type={"enum": sorted(ITEM_TYPES)},
            object_id=TEXT,
            related_object_id=TEXT,
            root_id=TEXT,
            event_date=DATE,
        ),
        "Events": _object(data=_list(ref("Event")), cursor=TEXT, overflow=FLAG),
        "Queue": _object(queue_id=TEXT, event_id=TEXT, event_date=DATE),
        "Crawl": _object(data=_list(ref("Document")), cursor=TEXT),
        "Discovery": _discovery(),
        "Token": _object(
            "access_token token_type scope",
            access_token=TEXT,
            token_type={"const": "Bearer"},
            scope={"enum": ["user", "admin"]},
            expires_in=NUMBER,
            refresh_token=TEXT,
        ),
        "SignedOut": _object(data=_object(auth_status=TEXT)),
        "Warning": _object(field=TEXT, error=TEXT),
        "Error": _object(
            error=_object(
                "code code_message message dms_version transaction messages",
                code=TEXT,
                code_message=TEXT,
                message=TEXT,
                dms_version=TEXT,
                transaction=TEXT,
                messages=_list(_object(code=TEXT, code_message=TEXT, field=TEXT, data={"type": "null"})),
            )
        ),
        "OAuthError": _object(error=_object(code=TEXT, message=TEXT)),
    }


def _discovery() -> Schema:
    library = _object(
        alias=TEXT,
        attributes=_map(FLAG),
        is_classic_client_compatible=FLAG,
        status={"const": "ready"},
        type={"const": "worksite"},
    )
    user = _object(
        anonymous_id=TEXT, customer_id=NUMBER, email=TEXT, id=TEXT, name=TEXT, ssid=TEXT, user_type=TEXT
    )
    data = _object(
        "auth_status capabilities dms_version versions",
        auth_status={"enum": ["authenticated", "unauthenticated"]},
        capabilities=_list(TEXT),
        dms_version=TEXT,
        versions=_list(_object(name=TEXT, url=TEXT, version=TEXT)),
        app=_object(id=TEXT),
        user=user,
        work=_object(libraries=_list(library), preferred_library=TEXT),
    )
    return _object(data=data)
