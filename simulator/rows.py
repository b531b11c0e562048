"""Converts containers and documents to JSON rows and back."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

from simulator.contents import from_row
from simulator.values import Activity, Container, Document, Email, Lock, Security, Version


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _flat(value: Any, *leave: str) -> dict[str, Any]:
    return {f.name: _plain(getattr(value, f.name)) for f in fields(value) if f.name not in leave}


def _dated(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return row | {name: datetime.fromisoformat(row[name]) for name in names}


def _security(row: dict[str, Any]) -> Security:
    return Security(row["default"], tuple((user, level) for user, level in row["trustees"]))


def container_row(one: Container) -> dict[str, Any]:
    return _flat(one, "security") | {"security": _flat(one.security)}


def container_from(row: dict[str, Any]) -> Container:
    return Container(**_dated(row, "created", "edited") | {"security": _security(row["security"])})


def document_row(one: Document) -> dict[str, Any]:
    return {
        "library": one.library,
        "number": one.number,
        "folders": one.folders,
        "versions": [_version_row(v) for v in one.versions],
        "security": _flat(one.security),
        "lock": _flat(one.lock) if one.lock else None,
        "history": [_flat(line) for line in one.history],
        "declared": one.declared,
    }


def _version_row(one: Version) -> dict[str, Any]:
    email = _flat(one.email) if one.email else None
    return _flat(one, "content", "email") | {"content": one.content.row(), "email": email}


def _version_from(row: dict[str, Any], files: Path) -> Version:
    email = Email(**_dated(row["email"], "sent", "received")) if row.get("email") else None
    return Version(
        **_dated(row, "created", "edited") | {"content": from_row(row["content"], files), "email": email}
    )


def document_from(row: dict[str, Any], files: Path) -> Document:
    return Document(
        library=row["library"],
        number=row["number"],
        folders=tuple(row["folders"]),
        versions=tuple(_version_from(each, files) for each in row["versions"]),
        security=_security(row["security"]),
        lock=Lock(**_dated(row["lock"], "since")) if row["lock"] else None,
        history=tuple(Activity(**_dated(line, "at")) for line in row["history"]),
        declared=row.get("declared", False),
    )
