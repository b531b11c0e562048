"""Worlds from a YAML file: what they hold, every mistake with its line, and the command line that serves one."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from simulator import Simulator, WorldError, load_world, practice_world
from simulator.settings import descriptions
from simulator.world_file import KINDS
from simulator.worlds import EXAMPLE
from tests.contracts.simulator.caller import Caller
from tests.support.repository import ROOT as REPOSITORY
from tests.support.stack import free_port


def test_the_example_has_one_of_every_key() -> None:
    text = EXAMPLE.read_text()
    rare = {
        "password",
        "allow_logon",
        "client_secret",
        "refresh_allowed",
        "file",
        "bcc",
        "at",
        "profile",
        "owner",
    }
    names = {name for kind in KINDS.values() for name in kind} - rare - {"settings", "email", "default"}
    assert {name for name in names if not re.search(rf"\b{name}:", text)} == set()


def test_what_the_example_holds(office: Simulator, archer: Caller) -> None:
    heron = archer.data(f"workspaces/{office.world.folder('Project Heron').id}")
    assert (heron["id"], heron["custom2"]) == ("Legal!1001", "0007"), "the number keeps its zeros"
    document = office.world.named("Share purchase agreement")
    rows = archer.data(f"documents/{document.id()}/versions")
    assert [(one["author"], one["last_user"], one["comment"]) for one in rows] == [
        ("ALICE", "ALICE", "First draft"),
        ("ALICE", "BRAM", "With comments"),
    ]
    assert (rows[0]["class"], rows[0]["subclass"]) == ("AGREEMENT", "SPA")
    size = archer.data(f"documents/{office.world.named('Data room index').id()}")["size"]
    assert size == 3_000_000
    assert archer.data("documents/checked-out") == []
    assert office.world.named("Disclosure letter").lock is not None
    with Caller(office, "farid", "Legal") as farid:
        assert [one["name"] for one in farid.data("workspaces")["results"]] == ["Internal investigation"]


def test_a_world_is_the_same_every_time() -> None:
    one, two = load_world(EXAMPLE).world, load_world(EXAMPLE).world
    assert [(d.id(), d.latest.edited, d.latest.content) for d in one.documents("Legal")] == [
        (d.id(), d.latest.edited, d.latest.content) for d in two.documents("Legal")
    ]


def test_settings_files_and_applications(tmp_path: Path) -> None:
    (tmp_path / "deed.pdf").write_bytes(b"%PDF-1.4 deed")
    path = tmp_path / "world.yaml"
    path.write_text(
        """
users: [{id: zoe, password: secret, allow_logon: false}]
applications: [{client_id: app, client_secret: s, refresh_allowed: false, redirect_uris: [https://a.example/b]}]
libraries:
  - id: KM-2_EU
    workspaces:
      - name: Matter
        owner: ZOE
        folders:
          - name: Deeds
            documents:
              - {name: Deed, extension: pdf, file: deed.pdf, at: 2026-01-02, profile: {custom3: X}}
settings: {customer_id: 1, lenient: true, types_missing: [WORDX]}
"""
    )
    loaded = load_world(path)
    assert (loaded.settings.customer_id, loaded.settings.lenient) == (1, True)
    assert loaded.settings.types_missing == ("WORDX",)
    deed = loaded.world.named("Deed")
    assert b"".join(deed.latest.content.blocks()) == b"%PDF-1.4 deed"
    assert (deed.latest.profile, deed.latest.edited.year) == ({"custom3": "X"}, 2026)
    assert not loaded.world.users[0].allow_logon
    assert loaded.world.apps[0].refresh_allowed is False


# Starts it, and names the distributions that it loaded.
ALONE = """
import sys
from importlib.metadata import packages_distributions
from simulator import Simulator, load_world
from simulator.openapi import description
from simulator.worlds import EXAMPLE
description()
Simulator(world=load_world(EXAMPLE).world).start().stop()
loaded = {name.partition(".")[0] for name in sys.modules}
print(*{each for name, found in packages_distributions().items() if name in loaded for each in found})
"""
HEAD = "users: [{id: A}]\nlibraries:\n  - id: L\n    workspaces:\n      - name: W\n        owner: A\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1: the file is empty"),
        ("- a", "1: keys with values are expected here"),
        ("users: [", "1: expected the node content, but found '<stream end>'"),
        ("users: []\nlibraries: []\nuser: []", "3: user: a world has no 'user'; did you mean users?"),
        ("users: []\nusers: []\nlibraries: []", "2: 'users' is there twice"),
        ("libraries: []", "1: a world needs 'users'"),
        ("users: A\nlibraries: []", "1: users: a list is expected here"),
        ("users: [{id: [A]}]\nlibraries: []", "1: users[0].id: a text is expected here"),
        (
            "users: [{id: A, external: maybe}]\nlibraries: []",
            "1: users[0].external: 'maybe' is not true or false",
        ),
        ("users: [{id: A}, {id: a}]\nlibraries: []", "1: users[1].id: there are two users a"),
        (
            "users: []\nlibraries: []\nsettings: {paging: up}",
            "3: settings: 'up' is not valid for the setting 'paging'",
        ),
        (HEAD.replace("owner: A", "owner: B"), "6: libraries[0].workspaces[0].owner: there is no user B"),
        (
            HEAD + "        folders: [{name: F, type: search}]",
            "7: libraries[0].workspaces[0].folders[0].type: a search folder, and only that, has a query",
        ),
        (
            HEAD + "        folders:\n          - name: F\n            documents: [{name: D, size: big}]",
            "9: libraries[0].workspaces[0].folders[0].documents[0].size: 'big' is not a whole number",
        ),
        (
            HEAD + "        folders:\n          - name: F\n            documents: [{name: D, file: no.pdf}]",
            "9: libraries[0].workspaces[0].folders[0].documents[0].file: No such file or directory",
        ),
        (
            HEAD + "        security: {trustees: {A: all}}",
            "7: libraries[0].workspaces[0].security.trustees: 'all' is not one of no_access, read, read_write, "
            "full_access",
        ),
        (
            HEAD + "favourites: [{user: A, library: L, entry: W/F}]",
            "7: favourites[0].entry: there is no 'W/F' in L",
        ),
        (
            HEAD + "categories: [{user: A, library: X, name: N}]",
            "7: categories[0].library: there is no library X",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "world.yaml"
    path.write_text(text)
    with pytest.raises(WorldError) as raised:
        load_world(path)
    assert problem in raised.value.problems
    assert str(raised.value).startswith(f"{path}:")


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "world.yaml"
    path.write_text("users: [{id: A, colour: red}]\nlibraries: [{}]\nsettings: 1\n")
    with pytest.raises(WorldError) as raised:
        load_world(path)
    assert len(raised.value.problems) == 2
    with pytest.raises(WorldError, match="No such file"):
        load_world(tmp_path / "none.yaml")


def test_kept_data_belongs_to_its_world(tmp_path: Path) -> None:
    with (
        Simulator(world=load_world(EXAMPLE).world, data_dir=tmp_path) as first,
        Caller(first, "alice", "Legal") as alice,
    ):
        document = first.world.named("Share purchase agreement")
        alice.call("DELETE", f"documents/{document.id()}")
        given = {"name": "Hello", "extension": "eml", "from": "a@b.example"}
        alice.send("POST", f"folders/{first.world.folder('Drafts').id}/documents", b"x", given)
        alice.call("POST", "change-events/queues", json={"queue_id": "q", "event_id": "5"})
        cursor = alice.get("change-events").json()["cursor"]
    with (
        Simulator(world=load_world(EXAMPLE).world, data_dir=tmp_path) as again,
        Caller(again, "alice", "Legal") as alice,
    ):
        assert [one["version"] for one in alice.data("trash-bin/documents")] == [2]
        email = again.world.named("Hello").latest.email
        assert email is not None and email.sender == "a@b.example"
        assert alice.data("change-events/queues/q")["event_id"] == "5"
        back = alice.call("POST", f"trash-bin/documents/{document.id()}/restore", json={})
        assert back.status_code == 200
        events = alice.get(f"change-events?cursor={cursor}").json()["data"]
        assert "restored_from_trash" in {one["action_type"] for one in events}, "the old cursor still works"
    with pytest.raises(ValueError, match="holds the changes to the world 'example'"):
        Simulator(world=practice_world(), data_dir=tmp_path).start()


def run(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "simulator", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_help_names_every_option_setting_and_fault() -> None:
    said = run("--help")
    assert said.returncode == 0
    for name in (*descriptions(), "--world", "--setting", "--secrets", "alice", "lost_after"):
        assert name.lower() in said.stdout.lower(), name


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--world", "/no/such.yaml"], "/no/such.yaml:0: No such file or directory"),
        (["--setting", "paging"], "--setting needs name=value, not 'paging'"),
        (["--setting", "paging=up"], "'up' is not valid for the setting 'paging'"),
    ],
)
def test_a_wrong_option_is_named(options: list[str], problem: str) -> None:
    said = run("--port", "1", *options)
    assert (said.returncode, said.stderr.strip()) == (1, problem)


def test_it_runs_without_the_rest_of_the_repository(tmp_path: Path) -> None:
    shutil.copytree(
        REPOSITORY / "simulator", tmp_path / "simulator", ignore=shutil.ignore_patterns("__pycache__")
    )
    said = subprocess.run(
        [sys.executable, "-c", ALONE], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    brought = {"flask", "werkzeug", "jinja2", "markupsafe", "itsdangerous", "blinker", "click", "pyyaml"}
    start_up = {"setuptools", "coverage"}  # of the environment, before any of our code
    assert set(said.stdout.lower().split()) - start_up == brought


def test_a_world_is_served_with_settings() -> None:
    port = free_port()
    options = [
        "--port",
        str(port),
        "--world",
        str(EXAMPLE),
        "--setting",
        "customer_id=7",
        "--setting",
        "totals=always",
    ]
    command = [sys.executable, "-m", "simulator", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = "".join(process.stdout.readline() for _ in range(2))
            assert "alice / alice-practice" in said
            url = f"http://127.0.0.1:{port}"
            form = {"grant_type": "password", "client_id": "public-client", "username": "alice"}
            form["password"] = "alice-practice"
            token = requests.post(f"{url}/auth/oauth2/token", data=form, timeout=5).json()["access_token"]
            answer = requests.get(
                f"{url}/work/api/v2/customers/7/libraries/Legal/types",
                headers={"X-Auth-Token": token},
                timeout=5,
            )
            assert answer.json()["total_count"] == 20
        finally:
            process.terminate()
