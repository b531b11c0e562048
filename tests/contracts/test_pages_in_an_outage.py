"""Real web servers whose PostgreSQL stops and starts again: every response stays a readable page."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.support import forks, postgres
from tests.support.pages import Page, check_page_rules
from tests.support.stack import answers, free_port, until

EMAIL, PASSWORD = "ada@firm.example", "harbour lantern 94 drifting"
FLASK = (sys.executable, "-m", "flask", "--app", "app")
SERVERS = {
    "waitress": (*FLASK, "web"),
    "gunicorn": (sys.executable, "-m", "gunicorn", "app:create_web()", "--threads", "4"),
}


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgres.running() as url:
        yield url


@pytest.fixture(scope="module")
def environment(database: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    port = free_port()
    environment = {
        **os.environ,
        "COUNTERPART_DATA_DIR": str(tmp_path_factory.mktemp("installation")),
        "COUNTERPART_DATABASE_URL": database,
        "COUNTERPART_PORT": str(port),
        "COUNTERPART_PUBLIC_URL": f"http://127.0.0.1:{port}",
    }
    add = ("member", "add", EMAIL, "--name", "Ada Admin", "--admin", "--password-stdin")
    for command, given in ((("db", "upgrade"), ""), (add, PASSWORD)):
        done = forks.run([*FLASK, *command], env=environment, given=given)
        assert done.returncode == 0, done.stderr
    return environment


@contextmanager
def web(name: str, environment: dict[str, str], log: Path) -> Iterator[str]:
    url = environment["COUNTERPART_PUBLIC_URL"]
    bind = ("--bind", url.removeprefix("http://")) if name == "gunicorn" else ()
    with log.open("wb") as said:
        process = forks.Forked([*SERVERS[name], *bind], env=environment, stdout=said)
    try:
        until(lambda: answers(f"{url}/health/live"), "the web server")
        yield url
    finally:
        process.terminate()
        process.wait(30)


def signed_in(url: str) -> requests.Session:
    person = requests.Session()
    form = person.get(f"{url}/sign-in", timeout=10).text
    token = re.search(r'name="csrf-token" content="([^"]+)"', form)
    assert token
    data = {"email": EMAIL, "password": PASSWORD, "csrf_token": token[1]}
    assert "Ada Admin" in person.post(f"{url}/sign-in", data=data, timeout=10).text
    person.headers["X-CSRFToken"] = token[1]
    return person


def assert_database_error(answer: requests.Response, *, whole: bool) -> None:
    """503 with Retry-After, what happened, what to do, and a reference."""
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["Retry-After"]) > 0
    page = Page(answer.text)
    check_page_rules(page, whole=whole)
    assert "Counterpart cannot reach its database" in page.text
    assert "Wait a minute, then try again" in page.text
    assert re.search(r"Reference +[0-9a-f]{16}", page.text)


@pytest.mark.parametrize("server", SERVERS)
def test_the_database_stops_and_comes_back(
    server: str, database: str, environment: dict[str, str], tmp_path: Path
) -> None:
    with web(server, environment, tmp_path / "log") as url:
        person = signed_in(url)
        token = person.headers.pop("X-CSRFToken")
        static = re.search(r'"(/static/[^"]+)"', person.get(url, timeout=10).text)
        assert static
        postgres.stop(database)
        try:
            for _ in range(3):
                for path in ("/", "/sign-in", "/admin/integrations/imanage", "/account"):
                    assert_database_error(person.get(f"{url}{path}", timeout=20), whole=True)
                toast = person.get(f"{url}/transfers/_news", headers={"HX-Request": "true"}, timeout=20)
                assert_database_error(toast, whole=False)
                assert toast.headers["HX-Retarget"] == "#toasts"
            written = person.post(
                f"{url}/matters/new", data={"name": "x"}, headers={"X-CSRFToken": token}, timeout=20
            )
            assert_database_error(written, whole=True)
            assert "check whether it was saved before you send it again" in written.text
            missing = person.get(f"{url}/no-such-page", timeout=20)
            assert missing.status_code == 404 and "Page not found" in missing.text
            assert person.get(f"{url}{static[1]}", timeout=20).status_code == 200
            assert person.get(f"{url}/health/live", timeout=20).status_code == 200
            assert person.get(f"{url}/health/ready", timeout=20).status_code == 503
        finally:
            postgres.start(database)
        for _ in range(6):
            assert "Ada Admin" in person.get(url, timeout=20).text
    said = (tmp_path / "log").read_text()
    assert "request.error_page_failed" not in said
    lines = [json.loads(line) for line in said.splitlines()]
    events = [line["event"] for line in lines if line.get("logger") != "gunicorn.error"]
    assert events[0] == "process.started" and events[-1] == "process.stopped"
    refused = [line for line in lines if line["event"] == "request" and line["status"] == 503]
    assert len(refused) >= 17 and {line["error"] for line in refused[:3]} == {"database_away"}
    told = [line for line in lines if line["event"] == "request.database" and "endpoint" in line]
    assert len(told) == len({line["endpoint"] for line in told}), "the same error twice within a minute"
    assert sum(line["repeated"] for line in lines if "repeated" in line) >= 8
    assert EMAIL not in said and "Ada" not in said
