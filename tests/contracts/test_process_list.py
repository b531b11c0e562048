"""What every user of the machine can read about our processes: no command line contains a secret."""

from __future__ import annotations

import ast
import dataclasses
import re
from pathlib import Path

import pytest
import requests

from commands import practice as practice_process
from commands.supervise import Child, start, stop_all
from services.servers import practice, registry
from tests.architecture.sources import files, tree_of
from tests.support.people import actor_of, make_member
from tests.support.processes import process_list
from tests.support.stack import free_port, until

SECRET = "planted-secret-4711"
SECRET_OPTION = re.compile("--.*(secret|token|password|key)")
PRODUCT = [name for name in files(".py") if not name.startswith(("tests/", "bench/", "migrations/"))]


@pytest.fixture
def start_of_practice(database: None, tmp_path: Path) -> practice.Start:
    """The start of the practice server as configured, its secret replaced by a recognisable one."""
    admin = actor_of(make_member("Nora", is_admin=True))
    saved = practice.add(admin)
    registry.set_enabled(admin, saved.id, True)
    wanted = practice.to_run()
    assert wanted is not None
    return dataclasses.replace(wanted, client_secret=SECRET, port=free_port(), folder=tmp_path / "practice")


def test_the_practice_server_shows_no_secret(
    start_of_practice: practice.Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTERPART_SECRET_KEYS", SECRET)
    running = start(practice_process.child(start_of_practice))
    try:
        at = f"http://127.0.0.1:{start_of_practice.port}"
        until(lambda: _answers(at), "The practice iManage")
        for command, environment in process_list(running.process.pid).values():
            assert SECRET.encode() not in command and SECRET.encode() not in environment
        assert requests.get(f"{at}/_simulator/", timeout=5).status_code == 403
        form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": start_of_practice.client_id}
        asked = requests.post(f"{at}/auth/oauth2/token", data=form | {"client_secret": SECRET}, timeout=5)
        wrong = requests.post(f"{at}/auth/oauth2/token", data=form | {"client_secret": "x"}, timeout=5)
        assert asked.text != wrong.text, "it did not receive its secret"
    finally:
        stop_all([running])


def test_the_repr_of_a_child_hides_its_secret() -> None:
    assert SECRET not in repr(Child("one", ["true"], told=SECRET))


def test_no_option_takes_a_secret() -> None:
    """A command-line option may name a file or standard input, never the secret itself."""
    harmless = {"--secrets", "--password-stdin", "--old-keys-are-lost", "--keys"}  # the last: public ones
    assert [
        (name, node.value)
        for name in PRODUCT
        for node in ast.walk(tree_of(name))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SECRET_OPTION.match(node.value)
        if node.value not in harmless and "-file" not in node.value
    ] == []


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/api", timeout=2).status_code < 500
    except requests.RequestException:
        return False
