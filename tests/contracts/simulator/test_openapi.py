"""The OpenAPI description says what the server does: every route is in it, and every answer is as it says."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest
import requests
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from simulator import Container, Document, Simulator
from simulator.calls import CUSTOMER, calls
from simulator.openapi import description
from simulator.server import web_rules
from tests.contracts.simulator.caller import Caller

DESCRIPTION = description()
OWN_PAGES = {
    "/",
    "/login",
    "/work/web",
    "/work/web/",
    "/work/web/practice.css",
    "/work/link/d/{object_id}/download",
}


def test_every_route_is_a_call_of_the_table() -> None:
    routes = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in web_rules()
        if not rule.rule.startswith(("/_simulator", "/static/"))
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    table = [(one.method, one.path) for one in calls()]
    assert len(table) == len(set(table))
    assert {one for one in routes if one[1] not in OWN_PAGES} == set(table)


@pytest.mark.parametrize("one", calls(), ids=lambda one: f"{one.method} {one.path.removeprefix(CUSTOMER)}")
def test_every_call_says_where_it_is_from(one: Any) -> None:
    assert one.confidence in "ABCD" and re.fullmatch(r"[\d., ]+", one.section)
    assert bool(one.source) or one.confidence == "D", "evidence has a source"
    assert bool(one.ours) or one.confidence != "D", "a choice says what was chosen"


def test_the_description_has_the_form_of_openapi() -> None:
    assert DESCRIPTION["openapi"] == "3.1.0"
    for schema in DESCRIPTION["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    named = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(DESCRIPTION)))
    assert named == set(DESCRIPTION["components"]["schemas"])
    ids = [one["operationId"] for path in DESCRIPTION["paths"].values() for one in path.values()]
    assert len(ids) == len(set(ids))
    for path, operations in DESCRIPTION["paths"].items():
        for one in operations.values():
            inside = [each["name"] for each in one["parameters"] if each["in"] == "path"]
            assert inside == re.findall(r"\{(\w+)\}", path)


def test_the_server_serves_its_description(office: Simulator) -> None:
    assert requests.get(f"{office.url}/_simulator/openapi.json", timeout=5).json() == DESCRIPTION


# -- the answers ---------------------------------------------------------------------------------------------


class Checker:
    """Holds each answer against the description, and remembers which operations succeeded."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.seen: set[tuple[str, str]] = set()
        self.registry: Registry[Any] = Registry().with_resource(
            "urn:api", Resource.from_contents(DESCRIPTION, DRAFT202012)
        )
        self.paths = [
            (re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path)
            for path in sorted(DESCRIPTION["paths"], key=lambda path: path.count("{"))
        ]

    def __call__(self, answer: requests.Response, **_options: object) -> None:
        method = str(answer.request.method).lower()
        path = str(answer.request.url).removeprefix(self.url).partition("?")[0]
        found = [name for pattern, name in self.paths if pattern.fullmatch(path)]
        name = next(name for name in found if method in DESCRIPTION["paths"][name])
        responses = DESCRIPTION["paths"][name][method]["responses"]
        said = responses.get(str(answer.status_code))
        if said:
            self.seen.add((method.upper(), name))
        else:
            assert answer.status_code >= 400, f"{method} {name}: {answer.status_code}"
            said = responses["default"]
        content = said.get("content", {})
        if not content:
            return
        (kind,) = content
        assert answer.headers["Content-Type"].partition(";")[0] == kind
        if kind == "application/json":
            self.validate(content[kind]["schema"], answer.json(), f"{method} {name}")

    def validate(self, schema: dict[str, Any], value: Any, where: str) -> None:
        absolute = json.loads(json.dumps(schema).replace('"#/', '"urn:api#/'))
        problems = list(Draft202012Validator(absolute, registry=self.registry).iter_errors(value))
        assert not problems, f"{where}: {jsonschema.exceptions.best_match(problems)}"


@pytest.fixture
def checker(office: Simulator, archer: Caller) -> Checker:
    checker = Checker(office.url)
    archer.session.hooks["response"].append(checker)
    return checker


@pytest.mark.parametrize(
    ("setting", "value", "complaint"),
    [
        ("checksum", "md5", "MD5"),
        ("version_in_profiles", "text", "'1' is not of type 'integer'"),
        ("list_shape", "results", "is not of type 'array'"),
        ("error_codes", "absent", "'code' is a required property"),
    ],
)
def test_a_wrong_answer_is_noticed(
    office: Simulator, archer: Caller, checker: Checker, setting: str, value: str, complaint: str
) -> None:
    office.settings.update({setting: value})
    with pytest.raises(AssertionError, match=complaint):
        archer.get(f"documents/{office.world.named('Signed deed').id()}")
        archer.get("types")
        archer.get("documents/Legal!1.1")


def test_every_answer_is_as_described(office: Simulator, archer: Caller, checker: Checker) -> None:
    journey = Journey(office, archer)
    journey.sign_in()
    journey.library()
    journey.own_lists()
    journey.containers()
    journey.documents()
    journey.writing()
    journey.filing()
    journey.following()
    journey.refusals()
    assert {(one.method, one.path) for one in calls()} - checker.seen == set()


class Journey:
    """One call of every kind at least."""

    def __init__(self, sim: Simulator, alice: Caller) -> None:
        self.sim, self.alice, self.world = sim, alice, sim.world
        self.url, self.customer = sim.url, alice.customer

    def get(self, *paths: str) -> None:
        for path in paths:
            answer = self.alice.get(path)
            assert answer.status_code == 200, (path, answer.text)

    def post(self, path: str, body: Any = None, method: str = "POST") -> Any:
        answer = self.alice.call(method, path, json={} if body is None else body)
        assert answer.status_code < 300, (path, answer.text)
        return answer.json()["data"] if answer.content else None

    def folder(self, name: str) -> Container:
        return self.world.folder(name)

    def document(self, name: str = "Share purchase agreement") -> Document:
        return self.world.named(name)

    def sign_in(self) -> None:
        session = self.alice.session
        for path in ("/api", "/work/api"):
            assert session.get(self.url + path, timeout=5).status_code == 200
            assert session.get(self.url + path, headers={"X-Auth-Token": ""}, timeout=5).status_code == 200
        back = "http://127.0.0.1:8000/auth/v0/oauth2/authorized"
        query = {"response_type": "code", "client_id": "counterpart-practice", "redirect_uri": back}
        address = f"{self.url}/auth/oauth2/authorize"
        assert session.get(address, params=query, timeout=5).status_code == 200
        form = {"username": "alice", "password": "alice-practice", "decision": "allow"}
        sent = session.post(address, params=query, data=form, allow_redirects=False, timeout=5)
        code = re.findall("code=([^&]+)", sent.headers["Location"])[0]
        grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": back}
        client = {"client_id": "counterpart-practice", "client_secret": "counterpart-practice-practice"}
        for status in (200, 400):
            token = session.post(f"{self.url}/auth/oauth2/token", data=grant | client, timeout=5)
            assert token.status_code == status
        other = self.sim.token_for("bram")
        signed_out = session.get(f"{self.url}/login/terminate", headers={"X-Auth-Token": other}, timeout=5)
        assert signed_out.status_code == 200
        browser = session.post(address, params=query, data=form, allow_redirects=False, timeout=5)
        assert browser.status_code == 302
        for kind in ("link", "web/dialogs/link"):
            page = session.get(f"{self.url}/work/{kind}/d/{self.document().id()}", timeout=5)
            assert page.status_code == 200

    def library(self) -> None:
        self.get(
            "operations", "types?total=true", "types?app_extension=pdf", "classes", "users", "users/bram"
        )
        self.get("classes/AGREEMENT/subclasses", "forms/visible-fields?form_type=edit_document")
        self.get("captions/custom1", "customs/custom2/search", "customs/custom2/0007", "templates")
        assert self.alice.session.get(f"{self.customer}/libraries", timeout=5).status_code == 200

    def own_lists(self) -> None:
        deals = self.alice.data("my-favorites/children?total=true")[0]["id"]
        month = self.alice.data("users/alice/my-matters/children")[0]["id"]
        self.get(f"my-favorites/categories/{deals}/children", "recent-workspaces", "recent-documents")
        self.get(f"users/alice/my-matters/categories/{month}/children")
        fields = {"profile_fields": {"workspace": ["id", "name", "custom1_description"]}}
        self.post("recent-workspaces", fields)
        for path in ("recent-workspaces", "recent-documents", "my-favorites/children", "templates", "folders",
                     "workspaces", "documents?total=true", "documents/checked-out"):  # fmt: skip
            assert self.alice.session.get(f"{self.customer}/{path}", timeout=5).status_code == 200

    def containers(self) -> None:
        heron, drafts = self.folder("Project Heron").id, self.folder("Drafts").id
        search, tab = self.folder("All agreements").id, self.folder("Correspondence").id
        self.get(
            "workspaces",
            "folders",
            f"folders?container_id={heron}",
            f"containers/{heron}",
            f"containers/{tab}",
        )
        for below in ("", "/children", "/operations", "/name-value-pairs", "/security", "/trustees"):
            self.get(f"workspaces/{heron}{below}", f"folders/{drafts}{below}", f"folders/{tab}{below}")
        self.get(f"folders/{search}", f"folders/{search}/children", f"folders/{drafts}/documents?total=true")
        fields = {
            "document": ["id", "name", "extension"],
            "folder": ["id", "folder_type"],
            "workspace": ["id"],
        }
        self.post(f"folders/{search}/children/browse", {"profile_fields": fields})
        for kind in ("workspaces", "folders", "documents"):
            self.post(f"{kind}/search")
            self.post(f"{kind}/search", {"profile_fields": fields, "limit": 1})
        body = {"default_security": "view", "user_trustees": [{"id": "BRAM", "access_level": "read_write"}]}
        for path in (f"workspaces/{heron}", f"folders/{drafts}", f"documents/{self.document().id()}"):
            self.post(f"{path}/security", body, "PUT")
            self.get(f"{path}/trustees")
        made = self.post(f"workspaces/{heron}/folders", {"name": "New"})
        below = self.post(f"folders/{made['id']}/subfolders", {"name": "Below"})
        self.post(f"folders/{below['id']}", {"name": "Renamed"}, "PATCH")
        self.post(f"folders/{below['id']}/move", {"destination_id": heron})
        assert self.alice.call("DELETE", f"folders/{below['id']}").status_code == 204

    def documents(self) -> None:
        path = f"documents/{self.document().id()}"
        for below in ("", "/versions", "/history", "/history/users", "/history/activities", "/operations", "/path",
                      "/related-documents", "/security", "/download", "/download/a.docx"):  # fmt: skip
            self.get(f"{path}{below}")
        self.get(f"{path}?include_operations=true", "documents?paging_mode=standard_cursor&limit=2")
        self.get("documents/checked-out", "documents/reserve")
        for name in ("Signed deed", "Disclosure letter", "Completion on Friday"):
            self.get(f"documents/{self.document(name).id()}?include_operations=true")
        for range_, status in (("bytes=0-9", 206), ("bytes=999999999-", 416)):
            part = self.alice.get(f"{path}/download", headers={"Range": range_})
            assert part.status_code == status
        self.post("documents/parents", {"document_numbers": [self.document().number]})

    def writing(self) -> None:
        place, path = f"folders/{self.folder('Drafts').id}/documents", f"documents/{self.document().id()}"
        warned = {"warnings_for_required_and_disabled_fields": True}
        given = {"name": "New", "extension": "docx", "class": "AGREEMENT"}
        assert "warnings" in self.alice.send("POST", place, b"one", given, **warned).json()
        assert self.alice.send("POST", f"{path}/versions", b"two").status_code == 201
        assert self.alice.send("PUT", f"documents/{self.document().id()}/file", b"three").status_code == 200
        self.post(path, {"doc_profile": {"custom2": ""}, **warned}, "PATCH")
        self.post(f"{path}/lock", {"comments": "Mine"})
        self.get(f"{path}/checkout", path, "documents/checked-out")
        self.post(f"{path}/lock", None, "DELETE")
        assert self.alice.call("POST", f"{path}/checkout").status_code == 200
        self.post(f"{path}/lock", None, "DELETE")

    def filing(self) -> None:
        drafts, other = self.folder("Drafts"), self.folder("Superseded")
        made = self.post(f"documents/{self.document().id()}/copy", {"folder_id": drafts.id})
        path = f"documents/{made['id']}"
        self.post(f"folders/{drafts.id}/{path}/move", {"destination_folder_id": other.id})
        copied = self.world.document("Legal", made["document_number"])
        assert copied is not None
        folders = (*copied.folders, drafts.number)
        self.world.put_document(Document(**{**vars(copied), "folders": folders}))
        assert self.alice.call("DELETE", f"folders/{other.id}/{path}").status_code == 204
        promoted = self.post(f"{path}/versions/promote")
        for one in (made, promoted):
            assert self.alice.call("DELETE", f"documents/{one['id']}").status_code == 204
        self.get("trash-bin/documents?total=true")
        self.post(f"trash-bin/documents/{made['id']}/restore")
        assert self.alice.call("DELETE", f"trash-bin/documents/{promoted['id']}").status_code == 204

    def following(self) -> None:
        self.get("change-events", "change-events?cursor=0", "change-events?cursor=0&limit=1")
        self.post("change-events/queues", {"queue_id": "q"})
        self.get("change-events/queues/q")
        self.post("change-events/queues/q", {"event_id": "4"}, "PUT")
        assert self.alice.call("DELETE", "change-events/queues/q").status_code == 204
        migration = {"X-Auth-Token": self.sim.token_for("work_migration")}
        crawled = self.alice.call("POST", "sync/documents/crawl", json={}, headers=migration)
        assert crawled.status_code == 200

    def refusals(self) -> None:
        for path in ("documents/Legal!1.1", "documents?colour=red", "folders/x", "types?limit=0"):
            assert self.alice.get(path).status_code in (400, 404)
        assert self.alice.get("types", headers={"X-Auth-Token": "no"}).status_code == 401
