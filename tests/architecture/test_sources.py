"""Rules for every Python file: a module docstring, at most 500 lines, no suppressed checks, one outbound client."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.architecture.sources import files, text_of, tree_of

LIMIT = 500
PYTHON = files(".py")
SUPPRESSED = re.compile(
    r"#.*\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "no" + "qa"]) + r")\b|type:\s*ig" + "nore"
)
SKIPPED = re.compile(r"pytest\.(mark\.)?(sk" + "ip|xf" + r"ail)\b")

ONE_CLIENT = "imanage/guard.py"
DIALLING = "imanage/dialling.py"
PROXIES = "imanage/proxies.py"
AUTHLIB = "imanage/oauth.py"
MAIL = ("services/mail/smtp.py", "services/mail/errors.py", "services/mail/connection.py")
NOT_GUARDED = ("tests/", "simulator/", "bench/", "commands/demo")
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


def test_every_module_has_a_docstring() -> None:
    """But for empty `__init__.py` files."""
    without = [name for name in PYTHON if not ast.get_docstring(tree_of(name))]
    assert [name for name in without if text_of(name).strip() or not name.endswith("__init__.py")] == []


def test_no_module_is_too_long() -> None:
    assert [name for name in PYTHON if len(text_of(name).splitlines()) > LIMIT] == []


def test_no_check_is_suppressed_and_no_test_skipped() -> None:
    found = [(name, rule.search(text_of(name))) for name in PYTHON for rule in (SUPPRESSED, SKIPPED)]
    assert [(name, match[0]) for name, match in found if match] == []


def test_only_the_guard_opens_connections() -> None:
    """One outbound client checks every address. The mail server's address is a setting, not a person's input."""
    allowed = {
        DIALLING: {"urllib3.connection.HTTPConnection"},
        PROXIES: {"http.client.HTTPException", "urllib3.connection.HTTPConnection"},  # types
        AUTHLIB: {"authlib.integrations.requests_client.OAuth2Session"},
        **{name: {"smtplib"} for name in MAIL},
    }
    product = [name for name in PYTHON if not name.startswith(NOT_GUARDED) and name != ONE_CLIENT]
    assert {name: used for name in product if (used := set(_senders(tree_of(name))))} == allowed


def _senders(tree: ast.Module) -> Iterator[str]:
    """Names that open a connection without the guard. `requests` itself may be imported for its types."""
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


def test_the_rule_recognises_the_guard() -> None:
    """Otherwise the rule above could pass because it finds nothing."""
    assert {"requests.adapters.HTTPAdapter", "requests.Session"} <= set(_senders(tree_of(ONE_CLIENT)))


def test_authlib_sends_through_the_guard() -> None:
    """Authlib builds the requests to the token endpoint; the guard's adapters send them."""
    assert "self._oauth.adapters = session.adapters" in text_of(AUTHLIB)
    assert "self._oauth.trust_env = False" in text_of(AUTHLIB)
