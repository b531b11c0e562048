"""Reads a world file: YAML, checked against what a world may hold, every mistake with its line."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simulator.values import DEFAULTS


class WorldError(ValueError):
    """A world file that cannot be used: every problem on its own line."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        super().__init__("\n".join(f"{path}:{problem}" for problem in problems))
        self.problems = problems


@dataclass(frozen=True)
class Field:
    """What a key may hold: text, number, yes or no, a date, one object or a list of a kind, or texts by name."""

    kind: str = "text"
    required: bool = False
    of: str = ""
    choices: tuple[str, ...] = ()


def _text(*, required: bool = False, choices: tuple[str, ...] = ()) -> Field:
    return Field("text", required, choices=choices)


_CONTENT = {"text": _text(), "file": _text(), "size": Field("number")}
_PROFILE = {"author": _text(), "comment": _text(), "at": Field("date"), **_CONTENT}
KINDS: dict[str, dict[str, Field]] = {
    "world": {
        "name": _text(),
        "users": Field("list", True, "user"),
        "applications": Field("list", False, "application"),
        "libraries": Field("list", True, "library"),
        "favourites": Field("list", False, "favourite"),
        "categories": Field("list", False, "category"),
        "settings": Field("any"),
    },
    "user": {
        "id": _text(required=True),
        "name": _text(),
        "password": _text(),
        "email": _text(),
        "external": Field("flag"),
        "allow_logon": Field("flag"),
        "library": _text(),
    },
    "application": {
        "client_id": _text(required=True),
        "client_secret": _text(),
        "name": _text(),
        "redirect_uris": Field("texts"),
        "refresh_allowed": Field("flag"),
        "public": Field("flag"),
    },
    "library": {
        "id": _text(required=True),
        "description": _text(),
        "hidden_from": Field("texts"),
        "first_number": Field("number"),
        "templates": Field("list", False, "template"),
        "workspaces": Field("list", False, "workspace"),
    },
    "template": {"id": _text(required=True), "name": _text(required=True), "description": _text()},
    "workspace": {
        "name": _text(required=True),
        "owner": _text(required=True),
        "client": Field("object", False, "numbered"),
        "matter": Field("object", False, "numbered"),
        "security": Field("object", False, "security"),
        "folders": Field("list", False, "folder"),
    },
    "numbered": {"number": _text(required=True), "name": _text()},
    "security": {
        "default": _text(choices=DEFAULTS),
        "trustees": Field("map"),
    },
    "folder": {
        "name": _text(required=True),
        "description": _text(),
        "type": _text(choices=("regular", "tab", "search")),
        "query": Field("map"),
        "owner": _text(),
        "security": Field("object", False, "security"),
        "folders": Field("list", False, "folder"),
        "documents": Field("list", False, "document"),
        "emails": Field("list", False, "email"),
    },
    "document": {
        "name": _text(required=True),
        "extension": _text(),
        "class": _text(),
        "subclass": _text(),
        "profile": Field("map"),
        "security": Field("object", False, "security"),
        "versions": Field("list", False, "version"),
        "checked_out_by": _text(),
        "declared": Field("flag"),
        **_PROFILE,
    },
    "version": dict(_PROFILE),
    "email": {
        "subject": _text(required=True),
        "from": _text(required=True),
        "to": _text(required=True),
        "cc": _text(),
        "bcc": _text(),
        "sent": Field("date", True),
        "received": Field("date"),
        "conversation": _text(),
        "attachment": Field("flag"),
        "text": _text(),
        "author": _text(),
    },
    "favourite": {
        "user": _text(required=True),
        "library": _text(required=True),
        "entry": _text(required=True),
    },
    "category": {
        "user": _text(required=True),
        "library": _text(required=True),
        "name": _text(required=True),
        "kind": _text(choices=("my_favorites", "my_matters")),
        "entries": Field("texts"),
    },
}


@dataclass(frozen=True)
class Item:
    """A checked object of the file: its values, and the lines for later complaints."""

    line: int
    where: str
    values: dict[str, Any]
    lines: dict[str, int]

    def __getitem__(self, key: str) -> Any:
        return self.values.get(key)

    def text(self, key: str, otherwise: str = "") -> str:
        return str(self.values.get(key) or otherwise)

    def items(self, key: str) -> list[Item]:
        found: list[Item] = self.values.get(key) or []
        return found

    def flag(self, key: str, otherwise: bool = False) -> bool:
        return bool(self.values.get(key, otherwise))


class Reader:
    """Turns YAML nodes into items, and collects problems instead of stopping at the first."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[str] = []
        self._construct: Callable[[Any], Any] = str

    def read(self) -> Item:
        """The whole file. Raises WorldError, also if YAML cannot parse it or is not installed."""
        try:
            import yaml  # here, because the rest of the practice server does without
        except ImportError as error:
            raise WorldError(self.path, ["0: worlds need PyYAML, which is not installed"]) from error
        try:
            node = yaml.compose(self.path.read_text(encoding="utf-8"), yaml.SafeLoader)
        except OSError as error:
            raise WorldError(self.path, [f"0: {error.strerror}"]) from error
        except UnicodeDecodeError as error:
            raise WorldError(self.path, ["0: the file is not UTF-8"]) from error
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            said = getattr(error, "problem", None) or str(error)
            raise WorldError(self.path, [f"{mark.line + 1 if mark else 0}: {said}"]) from error
        if node is None:
            raise WorldError(self.path, ["1: the file is empty"])
        self._construct = yaml.SafeLoader("").construct_document
        found = self._object(node, "world", "")
        self.finish()
        return found

    def complain(self, line: int, where: str, text: str) -> None:
        self.problems.append(f"{line}: {where + ': ' if where else ''}{text}")

    def finish(self) -> None:
        if self.problems:
            raise WorldError(self.path, self.problems)

    def _object(self, node: Any, kind: str, where: str) -> Item:
        line, known = node.start_mark.line + 1, KINDS[kind]
        values: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key, below in self._pairs(node, where):
            at = f"{where}.{key}" if where else key
            if key not in known:
                near = difflib.get_close_matches(key, known, 1)
                hint = f"; did you mean {near[0]}?" if near else f"; known: {', '.join(known)}"
                self.complain(below.start_mark.line + 1, at, f"a {kind} has no {key!r}{hint}")
                continue
            values[key] = self._value(below, known[key], at)
            lines[key] = below.start_mark.line + 1
        for key, one in known.items():
            if one.required and key not in values:
                self.complain(line, where, f"a {kind} needs {key!r}")
        return Item(line, where, values, lines)

    def _pairs(self, node: Any, where: str) -> Iterator[tuple[str, Any]]:
        if node.id != "mapping":
            self.complain(node.start_mark.line + 1, where, "keys with values are expected here")
            return
        seen: set[str] = set()
        for key, below in node.value:
            name = str(key.value)
            if name in seen:
                self.complain(key.start_mark.line + 1, where, f"{name!r} is there twice")
                continue
            seen.add(name)
            yield name, below

    def _value(self, node: Any, field: Field, where: str) -> Any:
        match field.kind:
            case "any":
                return self._construct(node)
            case "object":
                return self._object(node, field.of, where)
            case "list":
                return [self._object(one, field.of, f"{where}[{n}]") for n, one in self._list(node, where)]
            case "texts":
                return [self._scalar(one, _text(), f"{where}[{n}]") for n, one in self._list(node, where)]
            case "map":
                return {k: self._scalar(one, _text(), f"{where}.{k}") for k, one in self._pairs(node, where)}
        return self._scalar(node, field, where)

    def _list(self, node: Any, where: str) -> list[tuple[int, Any]]:
        if node.id != "sequence":
            self.complain(node.start_mark.line + 1, where, "a list is expected here")
            return []
        return list(enumerate(node.value))

    def _scalar(self, node: Any, field: Field, where: str) -> Any:
        """Scalars are taken as written, so that matter 0007 is not matter 7."""
        line = node.start_mark.line + 1
        if node.id != "scalar":
            self.complain(line, where, f"a {field.kind} is expected here")
            return None
        text = str(node.value)
        try:
            match field.kind:
                case "number":
                    return int(text)
                case "flag":
                    return {"true": True, "false": False, "yes": True, "no": False}[text.lower()]
                case "date":
                    at = datetime.fromisoformat(text)
                    return at if at.tzinfo else at.replace(tzinfo=UTC)
        except (ValueError, KeyError):
            wanted = {"number": "a whole number", "flag": "true or false", "date": "a date in ISO 8601"}
            self.complain(line, where, f"{text!r} is not {wanted[field.kind]}")
            return None
        if field.choices and text not in field.choices:
            self.complain(line, where, f"{text!r} is not one of {', '.join(field.choices)}")
        return text
