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


def object_of(required: str = "", /, **properties: Schema) -> Schema:
    """An object of exactly these properties; all are required unless named."""
    return {
        "type": "object",
        "properties": properties,
        "required": required.split() if required else list(properties),
        "additionalProperties": False,
    }


def _optional(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def list_of(of: Schema) -> Schema:
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
    "author_info": object_of(is_external=FLAG, allow_logon=FLAG),
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
    target = object_of(id=TEXT, name=TEXT, wstype=TEXT, database=TEXT, type=TEXT, document_number=NUMBER)
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
        "Category": object_of(
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
        "Library": object_of(
            id=TEXT, type={"enum": ["worksite", "linksite"]}, display_name=TEXT, is_hidden=FLAG
        ),
        "Type": object_of(id=TEXT, description=TEXT, app_extension=TEXT),
        "Named": object_of(id=TEXT, description=TEXT),
        "Class": object_of(
            id=TEXT,
            description=TEXT,
            default_security=DEFAULT,
            required_fields=list_of(TEXT),
            subclass_required=FLAG,
            indexable=FLAG,
            shadow=FLAG,
            retain=NUMBER,
            hipaa=FLAG,
            database=TEXT,
        ),
        "FormField": object_of(name=TEXT, visible=FLAG, required=FLAG, enabled=FLAG, **_CLASS),
        "User": object_of(
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
        "Caption": object_of(id=TEXT, type=TEXT, label=TEXT, num=NUMBER, locale=TEXT, database=TEXT),
        "Custom": object_of(
            "id description enabled", id=TEXT, description=TEXT, enabled=FLAG, parent=object_of(id=TEXT)
        ),
        "Template": object_of(id=TEXT, name=TEXT, description=TEXT, database=TEXT),
        "Trustee": object_of(id=TEXT, full_name=TEXT, type={"const": "user"}, access_level=LEVEL),
        "Security": object_of(
            default_security=DEFAULT,
            effective_security=LEVEL,
            user_trustees=list_of(ref("Trustee")),
            group_trustees=list_of(ref("Trustee")),
        ),
        "Reserved": object_of(document_number=NUMBER, version=NUMBER),
        "Checkout": object_of(
            comments=TEXT,
            due_date=TEXT,
            location=TEXT,
            path=TEXT,
            in_use_by=TEXT,
            in_use_by_description=TEXT,
            checkout_date=DATE,
        ),
        "HistoryLine": object_of(
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
        "HistoryUser": object_of(**_PERSON),
        "HistoryActivity": object_of(activity=TEXT, activity_code=NUMBER, count=NUMBER),
        "Paths": object_of(data=list_of(list_of(ref("Container")))),
        "Event": object_of(
            "id action_type item_type object_id event_date",
            id=TEXT,
            action_type={"enum": sorted(ACTIONS)},
            item_type={"enum": sorted(ITEM_TYPES)},
            object_id=TEXT,
            related_object_id=TEXT,
            root_id=TEXT,
            event_date=DATE,
        ),
        "Events": object_of(data=list_of(ref("Event")), cursor=TEXT, overflow=FLAG),
        "Queue": object_of(queue_id=TEXT, event_id=TEXT, event_date=DATE),
        "Crawl": object_of(data=list_of(ref("Document")), cursor=TEXT),
        "Discovery": _discovery(),
        "Token": object_of(
            "access_token token_type scope",
            access_token=TEXT,
            token_type={"const": "Bearer"},
            scope={"enum": ["user", "admin"]},
            expires_in=NUMBER,
            refresh_token=TEXT,
        ),
        "SignedOut": object_of(data=object_of(auth_status=TEXT)),
        "Warning": object_of(field=TEXT, error=TEXT),
        "Error": object_of(
            error=object_of(
                "code code_message message dms_version transaction messages",
                code=TEXT,
                code_message=TEXT,
                message=TEXT,
                dms_version=TEXT,
                transaction=TEXT,
                messages=list_of(object_of(code=TEXT, code_message=TEXT, field=TEXT, data={"type": "null"})),
            )
        ),
        "OAuthError": object_of(error=object_of(code=TEXT, message=TEXT)),
    }


def _discovery() -> Schema:
    library = object_of(
        alias=TEXT,
        attributes=_map(FLAG),
        is_classic_client_compatible=FLAG,
        status={"const": "ready"},
        type={"const": "worksite"},
    )
    user = object_of(
        anonymous_id=TEXT, customer_id=NUMBER, email=TEXT, id=TEXT, name=TEXT, ssid=TEXT, user_type=TEXT
    )
    data = object_of(
        "auth_status capabilities dms_version versions",
        auth_status={"enum": ["authenticated", "unauthenticated"]},
        capabilities=list_of(TEXT),
        dms_version=TEXT,
        versions=list_of(object_of(name=TEXT, url=TEXT, version=TEXT)),
        app=object_of(id=TEXT),
        user=user,
        work=object_of(libraries=list_of(library), preferred_library=TEXT),
    )
    return object_of(data=data)
