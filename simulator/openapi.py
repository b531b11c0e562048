"""The OpenAPI 3.1 description, drawn from the table of calls."""

from __future__ import annotations

import json
import re
from typing import Any

from simulator.calls import CUSTOMER, Call, calls
from simulator.schemas import FLAG, NUMBER, TEXT, list_of, object_of, ref, schemas

_IN_PATH = re.compile(r"\{(\w+)\}")
_FLAGS = frozenset(
    [
        "total",
        "include_operations",
        "is_latest",
        "latest",
        "exclude_docs",
        "exclude_folders",
        "exclude_emails",
    ]
)
Row = dict[str, Any]


def description() -> Row:
    """The whole description, with the settings as they are by default."""
    paths: dict[str, Row] = {}
    for one in calls():
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Practice iManage",
            "version": "2",
            "description": "A simulator of iManage Work's REST API v2, made from public sources. Not iManage's own "
            "description. `x-confidence` is A (three or more independent sources), B (two), C (one) or D (our choice).",
        },
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _operation(one: Call) -> Row:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": TEXT} for name in _IN_PATH.findall(one.path)
    ]
    parameters += [{"name": name, "in": "query", "schema": _parameter(name)} for name in one.query.split()]
    found: Row = {
        "operationId": _operation_id(one),
        "x-section": one.section,
        "x-confidence": one.confidence,
        "x-source": one.source,
        "parameters": parameters,
        "responses": {str(one.status): _answer(one), "default": _refusal(one)},
    }
    if one.answer == "bytes":
        found["responses"]["206"] = _answer(one) | {"description": "The range that was asked for"}
    if one.ours:
        found["x-our-choice"] = one.ours
    if one.body:
        found["requestBody"] = _body(one.body)
    if "/customers/" in one.path:
        found["security"] = [{"token": []}, {"bearer": []}]
    return found


def _operation_id(one: Call) -> str:
    words = one.path.replace(CUSTOMER, "").replace("{", "by_").replace("}", "")
    return "_".join([one.method.lower(), *words.replace("-", "_").strip("/").split("/")])


def _parameter(name: str) -> Row:
    return FLAG if name in _FLAGS else NUMBER if name in ("limit", "offset") else TEXT


def _json(schema: Row) -> Row:
    return {"application/json": {"schema": schema}}


def _answer(one: Call) -> Row:
    shape, _, name = one.answer.partition(" ")
    match shape:
        case "nothing":
            return {"description": "Done"}
        case "redirect":
            return {"description": "Back to the application"}
        case "bytes":
            return {"description": "The content", "content": {"application/octet-stream": {}}}
        case "page":
            return {"description": "A page", "content": {"text/html": {}}}
    return {"description": "Success", "content": _json(_data(shape, ref(name)))}


def _data(shape: str, schema: Row) -> Row:
    """`data` in its shape, with the fields beside it."""
    rows = list_of(schema)
    match shape:
        case "json":
            return schema
        case "record":
            return object_of("data", data=schema, warnings=list_of(ref("Warning")))
        case "found":
            return object_of(data=rows, overflow=FLAG)
    data = object_of(results=rows) if shape == "results" else rows
    return object_of("data", data=data, total_count=NUMBER, cursor=TEXT)


def _refusal(one: Call) -> Row:
    if "/customers/" in one.path:
        return {"description": "Refused", "content": _json(ref("Error"))}
    if one.path.endswith("/token"):
        return {"description": "Refused", "content": _json(ref("OAuthError"))}
    return {"description": "Refused"}


def _body(names: str) -> Row:
    if names == "multipart":
        file = {"type": "string", "contentMediaType": "application/octet-stream"}
        profile = {"type": "string", "contentMediaType": "application/json"}
        schema: Row = {
            "type": "object",
            "properties": {"profile": profile, "file": file},
            "required": ["profile", "file"],
        }
        return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    if names == "form":
        schema = {"type": "object", "additionalProperties": TEXT}
        return {"content": {"application/x-www-form-urlencoded": {"schema": schema}}}
    return {"content": _json({"type": "object", "properties": {name: {} for name in names.split()}})}


def text() -> str:
    """The description as the committed file has it: a line for each operation and each schema."""
    return _lines(description(), 3) + "\n"


def _lines(value: Any, depth: int) -> str:
    if not isinstance(value, dict) or not depth:
        return json.dumps(value, ensure_ascii=False)
    inside = (f"{json.dumps(key)}: {_lines(below, depth - 1)}" for key, below in value.items())
    return "{\n" + ",\n".join(inside) + "\n}"
