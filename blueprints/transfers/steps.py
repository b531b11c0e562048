"""Steps of a path in iManage as text, as the pop-ups keep and send them: `f:Active!987:Drafts`."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, unquote

from services.core.text import normalise
from services.picker.browse import Kind, Step

MAX_DEPTH = 30
MAX_NAME = 80
MAX_ID = 200
KINDS: dict[str, Kind] = {
    "w": "workspace",
    "f": "folder",
    "c": "read_only_folder",
    "v": "favourites_category",
    "m": "matters_category",
    "d": "document",
}
LETTERS = {kind: letter for letter, kind in KINDS.items()}


def parse(text: str) -> Step | None:
    """One step: kind, id and name, as the pressed row had them. None for anything else."""
    letter, _, rest = text.partition(":")
    quoted, _, name = rest.partition(":")
    step_id = unquote(quoted)
    if letter not in KINDS or not step_id or len(step_id) > MAX_ID:
        return None
    return Step(KINDS[letter], step_id, normalise.clean_line(name)[:MAX_NAME] or step_id)


def parse_all(texts: Sequence[str]) -> tuple[Step, ...]:
    """The steps of a path; others are left out."""
    return tuple(filter(None, map(parse, texts[:MAX_DEPTH])))


def encode(step: Step) -> str:
    return f"{LETTERS[step.kind]}:{quote(step.id, safe='!')}:{step.name[:MAX_NAME]}"


def workspace_of(path: Sequence[Step]) -> str:
    """The id of the workspace in which a path begins; empty if it begins elsewhere."""
    return path[0].id if path and path[0].kind == "workspace" else ""
