"""The parts of the docs that are drawn from the code. `python -m tests.architecture.drawing` draws them anew."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable

from services.transfers import states as transfer_states
from tests.architecture.sources import REPOSITORY, files, text_of

ROOMS = (
    "blueprints",
    "commands",
    "jobs",
    "services",
    "transfers",
    "imanage",
    "storage",
    "models",
    "simulator",
)
MARK = "<!-- drawn: {name} -->"
END = "<!-- end of what is drawn -->"


def rooms() -> str:
    """A line for each package and each room of the blueprints, in the words of its own first sentence."""
    lines = ["| room | what it is for |", "|---|---|"]
    for room in ROOMS:
        lines.append(f"| `{room}/` | {_first_sentence(f'{room}/__init__.py')} |")
        if room == "blueprints":
            inner = sorted(files("/routes.py", below="blueprints/"))
            lines += [f"| `{name.removesuffix('routes.py')}` | {_first_sentence(name)} |" for name in inner]
    return "\n".join(lines)


def arrows() -> str:
    """Who imports whom, room by room, as it is and not as it was meant."""
    found = {
        (name.split("/")[0], target)
        for name in files(".py")
        if name.split("/")[0] in ROOMS
        for target in _imported(name) & set(ROOMS)
        if target != name.split("/")[0]
    }
    return "\n".join(["```mermaid", "flowchart TD", *(f"    {a} --> {b}" for a, b in sorted(found)), "```"])


def states() -> str:
    return f"```mermaid\n{transfer_states.diagram()}\n```"


DRAWN: dict[str, dict[str, Callable[[], str]]] = {
    "docs/map.md": {"rooms": rooms, "arrows": arrows},
    "docs/transfers.md": {"states": states},
}


def redrawn(page: str) -> str:
    """The page with its drawn parts as they have to be now."""
    text = text_of(page)
    for name, draw in DRAWN[page].items():
        mark = MARK.format(name=name)
        part = re.compile(re.escape(mark) + r".*?" + re.escape(END), re.DOTALL)
        if not part.search(text):
            raise ValueError(f"{page} has no place for {name}: {mark} … {END}")
        drawn = f"{mark}\n{draw()}\n{END}"
        text = part.sub(lambda _match, drawn=drawn: drawn, text)
    return text


def _first_sentence(name: str) -> str:
    says = ast.get_docstring(ast.parse(text_of(name))) or ""
    return says.split("\n\n")[0].replace("\n", " ").strip()


def _imported(name: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(text_of(name))):
        if isinstance(node, ast.Import):
            found |= {each.name.split(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def main() -> int:
    for page in DRAWN:
        (REPOSITORY / page).write_text(redrawn(page), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
