"""The request sheet names every call that our client can make, and none that it cannot."""

from __future__ import annotations

import contextlib
import inspect
import io
import re
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from imanage import change_events, containers, customs, discovery, documents, oauth
from imanage.client import Client
from imanage.errors import ImanageError
from imanage.ids import VersionId
from imanage.types import AppCredentials, Endpoints
from imanage.uploads import Upload
from services.server_admin.network_sheet import SIGN_IN, WORK, merged

PLACE = "https://imanage.firm.test"
BASE = f"{PLACE}/work/api/v2/customers/1"
ENDS = Endpoints(browser=PLACE, api=PLACE)
APP = AppCredentials("counterpart", "a-secret")
UPLOAD = Upload("Lease", "docx", 1, "0" * 64, io.BytesIO(b"x"))
ARGUMENTS = {
    "workspace_id": "Active!1",
    "folder_id": "Active!7",
    "category_id": "Active!9",
    "id": VersionId("Active", 8, 1),
    "user_id": "ALICE",
    "text": "lease",
    "number": 8,
    "client_number": "10042",
    "matter_number": "0007",
    "field": "custom1",
    "value": "10042",
    "cursor": "1",
    "upload": UPLOAD,
}


class Noting(BaseAdapter):
    """The far end of the line: notes what it was asked, and has nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[tuple[str, str]] = set()

    def send(self, request: requests.PreparedRequest, *_more: Any, **_options: Any) -> requests.Response:
        self.asked.add((request.method or "", urlsplit(request.url or "").path))
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = 404, request.url or "", request
        answer.raw = HTTPResponse(io.BytesIO(b"{}"), status=404, preload_content=False)
        return answer

    def close(self) -> None:
        """There is nothing to close."""


@pytest.fixture
def noting() -> Noting:
    return Noting()


@pytest.fixture
def session(noting: Noting) -> requests.Session:
    session = requests.Session()
    session.mount("https://", noting)
    return session


def call_all_of(module: ModuleType, client: Client) -> None:
    """Every function that takes a client, with a library, and without one where it may be left out."""
    for function in filter(inspect.isfunction, vars(module).values()):
        parameters = inspect.signature(function).parameters
        if "client" not in parameters or function.__name__.startswith(("_", "of_")):
            continue
        needed = {name for name, each in parameters.items() if each.default is inspect.Parameter.empty}
        assert needed <= {"client", "library", "kind", *ARGUMENTS}, (
            f"{function.__name__} takes something new."
        )
        values = {name: ARGUMENTS[name] for name in parameters if name in ARGUMENTS}
        choices = [{}] if "library" not in needed else []
        if "library" in parameters:
            choices.append({"library": "Active"})
        if "kind" in parameters:
            choices = [{"kind": "my_favorites"}, {"kind": "my_matters"}]
        for choice in choices:
            with contextlib.suppress(ImanageError):
                function(client, **values, **choice)


def shape(path: str) -> str:
    path = path.removeprefix("/work/api/v2/customers/1/")
    if path.startswith("/"):
        return path
    path = (
        re.sub(r"\bActive!\d+(\.\d+)?", "{id}", path)
        .replace("/Active", "/{library}")
        .replace("ALICE", "{user}")
        .replace("/custom1/10042", "/{field}/{value}")
    )
    return f"{{base}}/{path}"


def asked_by_the_client(session: requests.Session, noting: Noting) -> set[tuple[str, str]]:
    client = Client(session, BASE, "a-token")
    for module in (change_events, containers, customs, documents):
        call_all_of(module, client)
    calls = (
        lambda: discovery.discover(session, ENDS, "a-token"),
        lambda: oauth.exchange(session, ENDS, APP, "https://us.test/back", "code", "verifier"),
        lambda: oauth.refresh(session, ENDS, APP, "a-refresh-token"),
        lambda: oauth.sign_out(session, ENDS, "a-token"),
    )
    for call in calls:
        with contextlib.suppress(ImanageError):
            call()
    begun = oauth.begin(ENDS, APP, "https://us.test/back")
    return {(method, shape(path)) for method, path in noting.asked} | {("GET", urlsplit(begun.url).path)}


def test_the_sheet_names_what_the_client_calls_and_nothing_else(
    session: requests.Session, noting: Noting
) -> None:
    asked = asked_by_the_client(session, noting)
    named = {(each.methods, each.path) for each in SIGN_IN + WORK}
    assert asked - named == set(), "These calls are not on the sheet."
    assert named - asked == set(), "Nothing makes these calls."


def test_paths_with_several_methods_take_one_line() -> None:
    lines = merged(WORK)
    assert len({line.path for line in lines}) == len(lines) < len(WORK)
    documents = next(line for line in lines if line.path.endswith("/folders/{id}/documents"))
    assert documents.methods == "GET, POST"
    assert merged(SIGN_IN) == SIGN_IN
