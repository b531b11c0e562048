"""The parts of the docs that are drawn from the code. `python -m tests.architecture.drawing` draws them anew."""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
from collections.abc import Callable

from imanage.server_facts import ASSUMED, FACTS, stored, value_of
from services.guidance.tables import TABLES
from services.servers.server_facts import shown
from services.transfers import states as transfer_states
from simulator import calls, openapi
from simulator.faults import KINDS
from simulator.settings import CHOICES, Settings, descriptions
from tests.architecture.sources import REPOSITORY, files, text_of

PACKAGES = (
    "blueprints",
    "commands",
    "jobs",
    "services",
    "copying",
    "imanage",
    "storage",
    "sandbox",
    "models",
    "simulator",
)
MARK = "<!-- drawn: {name} -->"
END = "<!-- end of what is drawn -->"


def packages() -> str:
    """A line for each package, in the words of its own first sentence; services in the order of their layers."""
    lines = ["| package | what it is for |", "|---|---|"]
    for package in PACKAGES:
        lines.append(f"| `{package}/` | {_first_sentence(f'{package}/__init__.py')} |")
        if package == "blueprints":
            inner = sorted(files("/routes.py", below="blueprints/"))
            lines += [f"| `{name.removesuffix('routes.py')}` | {_first_sentence(name)} |" for name in inner]
        if package == "services":
            lines += [
                f"| `{name}/` | {_first_sentence(f'{name}/__init__.py')} |" for name in _service_packages()
            ]
    return "\n".join(lines)


def modules() -> str:
    """Every module of every service package, in the words of its own first sentence."""
    lines = []
    for package in _service_packages():
        lines += ["", f"**`{package}/`**", "", "| module | what it does |", "|---|---|"]
        inside = sorted(
            name for name in files(".py", below=f"{package}/") if not name.endswith("__init__.py")
        )
        lines += [f"| `{name.removeprefix(f'{package}/')}` | {_first_sentence(name)} |" for name in inside]
    return "\n".join(lines[1:])


def layers() -> str:
    """The layers of services, the highest first, as `pyproject.toml` holds them."""
    return "\n".join(["```", *(" | ".join(layer) for layer in _layers()), "```"])


def _layers() -> list[list[str]]:
    contracts = tomllib.loads(text_of("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    (found,) = (each["layers"] for each in contracts if each["name"] == "Services import down")
    return [layer.split(" | ") for layer in found]


def _service_packages() -> list[str]:
    return [name.replace(".", "/") for layer in reversed(_layers()) for name in layer]


def arrows() -> str:
    """Who imports whom, package by package."""
    found = {
        (name.split("/")[0], target)
        for name in files(".py")
        if name.split("/")[0] in PACKAGES
        for target in _imported(name) & set(PACKAGES)
        if target != name.split("/")[0]
    }
    return "\n".join(["```mermaid", "flowchart TD", *(f"    {a} --> {b}" for a, b in sorted(found)), "```"])


def states() -> str:
    return f"```mermaid\n{transfer_states.diagram()}\n```"


def messages() -> str:
    """Every sentence that belongs to an error code: what people read, why, what to do, and who needs to act."""
    lines = []
    for title, table in TABLES.items():
        lines += [
            "",
            f"## {title}",
            "",
            "| code | message | cause | next step | who needs to act |",
            "|---|---|---|---|---|",
        ]
        for code, advice in table.items():
            message = f"**{advice.title}.** {advice.sentence}" if advice.title else advice.sentence
            message += f" *In a list: {advice.brief}.*" if advice.brief else ""
            message += f" *Tick box: {advice.accept}.*" if advice.accept else ""
            lines.append(f"| `{code}` | {message} | {advice.cause} | {advice.next_step} | {advice.owner} |")
    return "\n".join(lines[1:])


def facts() -> str:
    """Every fact about a server: its assumed value, what can find it out, and what it decides."""
    needs = {"reading": "reading", "folder": "a scratch folder", "sign_in": "a sign-in", "use": "use"}
    lines = ["| fact | title | assumed | found by | decides |", "|---|---|---|---|---|"]
    for fact in FACTS.values():
        found_by = needs[fact.needs] + (", or told" if fact.told else "")
        value = shown(fact, stored(value_of(ASSUMED, fact.name)))
        lines.append(f"| `{fact.name}` | {fact.title} | {value} | {found_by} | {fact.drives} |")
    return "\n".join(lines)


def dials() -> str:
    """Every setting of the practice iManage, from the comment beside it."""
    values = Settings().as_dict()
    lines = ["| setting | default | choices | what it changes |", "|---|---|---|---|"]
    for name, text in descriptions().items():
        choices = ", ".join(CHOICES.get(name, ()))
        default = json.dumps(values[name]).replace("|", "\\|")
        lines.append(f"| `{name}` | `{default}` | {choices} | {text.replace('|', chr(92) + '|')} |")
    return "\n".join(lines)


def faults() -> str:
    """Every kind of fault of the practice iManage."""
    lines = ["| kind | what happens |", "|---|---|"]
    return "\n".join([*lines, *(f"| `{kind}` | {text} |" for kind, text in KINDS.items())])


DRAWN: dict[str, dict[str, Callable[[], str]]] = {
    "docs/imanage.md": {"facts": facts},
    "docs/map.md": {"packages": packages, "layers": layers, "modules": modules, "arrows": arrows},
    "docs/messages.md": {"messages": messages},
    "docs/transfers.md": {"states": states},
    "simulator/README.md": {"settings": dials, "faults": faults, "calls": calls.table},
}


WHOLE: dict[str, Callable[[], str]] = {"simulator/openapi.json": openapi.text}
PAGES = sorted([*DRAWN, *WHOLE])


def redrawn(page: str) -> str:
    """The page with its drawn parts as they have to be now."""
    if page in WHOLE:
        return WHOLE[page]()
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
    for page in PAGES:
        (REPOSITORY / page).write_text(redrawn(page), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
