"""What every Python file keeps to: it says what it is for, stays short, and asks no linter to look away."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from tests.architecture.sources import files, text_of

LIMIT = 500
PYTHON = files(".py")
LOOKED_AWAY = re.compile(
    r"#.*\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "no" + "qa"]) + r")\b|type:\s*ig" + "nore"
)
SKIPPED = re.compile(r"pytest\.(mark\.)?(sk" + "ip|xf" + r"ail)\b")

ONE_CLIENT = "imanage/guard.py"
DIALLING = "imanage/dialling.py"
AUTHLIB = "imanage/oauth.py"
MAIL = ("services/mail/smtp.py", "services/mail/errors.py", "services/mail/connection.py")
ITS_OWN_LINE = ("tests/", "simulator/", "bench/", "commands/demo")
LIBRARIES = {
    "requests",
    "urllib3",
    "http.client",
    "urllib.request",
    "httpx",
    "aiohttp",
    "ftplib",
    "smtplib",
    "authlib",
}
HARMLESS = {"urllib3.exceptions", "urllib3.util"}
SENDS = {"Session", "session", "request", "get", "post", "put", "patch", "delete", "head", "options"}


@cache
def tree_of(name: str) -> ast.Module:
    return ast.parse(text_of(name))


@pytest.mark.parametrize("name", PYTHON)
def test_every_module_says_what_it_is_for(name: str) -> None:
    says = ast.get_docstring(tree_of(name))
    empty_package = name.endswith("__init__.py") and not text_of(name).strip()
    assert says or empty_package


@pytest.mark.parametrize("name", PYTHON)
def test_no_file_is_longer_than_a_reader_holds_in_mind(name: str) -> None:
    assert len(text_of(name).splitlines()) <= LIMIT


@pytest.mark.parametrize("name", PYTHON)
def test_nothing_is_left_undone_skipped_or_hidden_from_the_linters(name: str) -> None:
    text = text_of(name)
    assert not LOOKED_AWAY.search(text) and not SKIPPED.search(text)


@pytest.mark.parametrize("name", [name for name in PYTHON if not name.startswith(ITS_OWN_LINE)])
def test_only_the_guard_opens_connections(name: str) -> None:
    """One outbound client: whatever leaves this installation has had its address judged.

    The mail server's address is no person's input: it stands in the settings of the installation.
    """
    allowed = {
        ONE_CLIENT: None,
        DIALLING: {"urllib3.connection.HTTPConnection"},
        AUTHLIB: {"authlib.integrations.requests_client.OAuth2Session"},
        **{name: {"smtplib"} for name in MAIL},
    }.get(name, set())
    assert allowed is None or set(_senders(tree_of(name))) == allowed


def _senders(tree: ast.Module) -> Iterator[str]:
    """Names with which a connection could be opened past the guard. `requests` itself may be named for its types."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (each.name for each in names if each.name in LIBRARIES - {"requests"})
            case ast.ImportFrom(module=str(module), names=names) if module not in HARMLESS:
                if module.split(".")[0] in LIBRARIES or module in LIBRARIES:
                    yield from (f"{module}.{each.name}" for each in names)
            case ast.ClassDef(bases=bases):
                yield from (text for each in bases if (text := ast.unparse(each)).startswith("requests."))
            case ast.Call(func=ast.Attribute(value=ast.Name(id="requests"), attr=attr)) if attr in SENDS:
                yield f"requests.{attr}"


def test_the_guard_is_seen_as_what_it_is() -> None:
    """So that the rule above cannot pass by seeing nothing."""
    assert {"requests.adapters.HTTPAdapter", "requests.Session"} <= set(_senders(tree_of(ONE_CLIENT)))


def test_authlib_sends_through_the_guard() -> None:
    """The one exception: Authlib makes the requests of the token endpoint, the guard's adapters carry them."""
    assert "self._oauth.adapters = session.adapters" in text_of(AUTHLIB)
    assert "self._oauth.trust_env = False" in text_of(AUTHLIB)
