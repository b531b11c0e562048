"""The settings that stand for facts about a server: each flipped, and what a client then sees."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from simulator import Settings, Simulator, load_world
from simulator.settings import CHOICES, descriptions
from simulator.worlds import EXAMPLE
from tests.contracts.simulator.caller import Caller, refused_field


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with Simulator(world=load_world(EXAMPLE).world) as sim:
        yield sim


@pytest.fixture
def office(running: Simulator) -> Iterator[Simulator]:
    yield running
    running.settings.update(Settings().as_dict())


def drafts(sim: Simulator) -> str:
    return f"folders/{sim.world.folder('Drafts').id}/documents"


def agreement(sim: Simulator) -> str:
    return sim.world.named("Share purchase agreement").id()


# -- the settings themselves -----------------------------------------------------------------------------------


def test_every_setting_is_described() -> None:
    assert [name for name, text in descriptions().items() if not text] == []
    assert list(descriptions()) == list(Settings().as_dict())


def test_every_choice_is_of_a_setting_and_holds_its_default() -> None:
    values = Settings().as_dict()
    assert {name for name, choices in CHOICES.items() if values[name] not in choices} == set()


@pytest.mark.parametrize(
    "changes",
    [
        {"missing": ["("]},
        {"missing": "types"},
        {"required_fields": ["DOC"]},
        {"required_fields": {"DOC": "custom3"}},
        {"discovery_extra": {1: 2}},
        {"paging": "sideways"},
        {"lenient": "yes"},
        {"nothing": 1},
    ],
)
def test_a_wrong_value_changes_nothing(changes: dict[str, Any]) -> None:
    settings = Settings()
    with pytest.raises(ValueError, match=r"valid|setting|expression"):
        settings.update({"latency": 1} | changes)
    assert settings == Settings()


# -- discovery ------------------------------------------------------------------------------------------------


def test_discovery_with_oddities(office: Simulator, archer: Caller) -> None:
    office.settings.update(
        {
            "customer_id_text": True,
            "discovery_extra": {"region": "eu"},
            "discovery_without": ["work.libraries", "capabilities", "no.such"],
            "api_url": f"{office.url}/api/v2",
        }
    )
    data = archer.session.get(f"{office.url}/api", timeout=5).json()["data"]
    assert (data["user"]["customer_id"], data["region"]) == ("4242", "eu")
    assert "libraries" not in data["work"] and "capabilities" not in data
    assert data["versions"][0]["url"] == f"{office.url}/api/v2"
    office.settings.discovery_needs_token = True
    assert requests.get(f"{office.url}/api", timeout=5).status_code == 401


# -- sign-in --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dial", "taken"), [("body", "body"), ("basic", "basic"), ("either", "body basic")])
def test_where_the_client_authenticates(office: Simulator, dial: str, taken: str) -> None:
    office.settings.client_auth = dial
    pair = ("counterpart-practice", "counterpart-practice-practice")
    form = {"grant_type": "password", "username": "alice", "password": "alice-practice"}
    basic = {"Authorization": "Basic " + base64.b64encode(":".join(pair).encode()).decode()}
    url = f"{office.url}/auth/oauth2/token"
    answers = {
        "body": requests.post(
            url, data=form | {"client_id": pair[0], "client_secret": pair[1]}, timeout=5
        ).status_code,
        "basic": requests.post(url, data=form, headers=basic, timeout=5).status_code,
    }
    assert answers == {name: 200 if name in taken.split() else 401 for name in answers}


@pytest.mark.parametrize(
    ("dial", "with_challenge", "without"),
    [("accepted", 200, 200), ("required", 200, 302), ("refused", 302, 200)],
)
def test_pkce(office: Simulator, dial: str, with_challenge: int, without: int) -> None:
    office.settings.pkce = dial
    query = {"response_type": "code", "client_id": "counterpart-practice"}
    query |= {"redirect_uri": "http://127.0.0.1:8000/auth/v0/oauth2/authorized"}

    def status(**more: str) -> int:
        url = f"{office.url}/auth/oauth2/authorize"
        return requests.get(url, params=query | more, allow_redirects=False, timeout=5).status_code

    assert status(code_challenge="c" * 43, code_challenge_method="S256") == with_challenge
    assert status() == without


# -- lists and ids --------------------------------------------------------------------------------------------


def test_customer_level_lists_can_be_missing(office: Simulator, archer: Caller) -> None:
    office.settings.customer_lists = False
    for path in (
        "recent-workspaces",
        "documents?name=deed",
        "workspaces",
        "folders",
        "my-favorites/children",
    ):
        assert archer.session.get(f"{archer.customer}/{path}", timeout=5).status_code == 404
        assert archer.get(path).status_code == 200
    assert archer.session.get(f"{archer.customer}/libraries", timeout=5).status_code == 200


@pytest.mark.parametrize(
    ("call", "pattern"),
    [
        ("POST documents/search", "^POST .*/documents/search$"),
        ("GET types", "/types$"),
        ("GET forms/visible-fields?form_type=edit_document", "/forms/"),
    ],
)
def test_any_call_can_be_missing(office: Simulator, archer: Caller, call: str, pattern: str) -> None:
    method, path = call.split()
    assert archer.call(method, path, json={}).status_code == 200
    office.settings.update({"missing": [pattern], "missing_status": 501})
    assert archer.call(method, path, json={}).status_code == 501
    assert archer.get("classes").status_code == 200


def test_ids_that_must_or_must_not_name_a_version(office: Simulator, archer: Caller) -> None:
    versioned = agreement(office)
    bare = versioned.partition(".")[0]
    office.settings.version_ids = "required"
    for path in ("", "/versions", "/operations"):
        assert refused_field(archer.get(f"documents/{bare}{path}")) == "id"
        assert archer.get(f"documents/{versioned}{path}").status_code == 200
    office.settings.version_ids = "refused"
    for path in ("/versions", "/operations", "/history"):
        assert refused_field(archer.get(f"documents/{versioned}{path}")) == "id"
        assert archer.get(f"documents/{bare}{path}").status_code == 200
    assert archer.get(f"documents/{versioned}").status_code == 200, "it is about one version"
    assert archer.get(f"documents/{versioned}/download").status_code == 200


def test_numbers_in_profiles_as_text(office: Simulator, archer: Caller) -> None:
    office.settings.version_in_profiles = "text"
    row = archer.data(f"documents/{agreement(office)}")
    assert row["version"] == "2" and isinstance(row["document_number"], str)


def test_limits_of_lists(office: Simulator, archer: Caller) -> None:
    office.settings.max_limit = 2
    assert refused_field(archer.get(f"{drafts(office)}?limit=3")) == "limit"
    assert refused_field(archer.call("POST", "documents/search", json={"limit": 3})) == "limit"
    office.settings.over_limit = "clamp"
    assert len(archer.data(f"{drafts(office)}?limit=3")) == 2
    assert len(archer.call("POST", "documents/search", json={"limit": 3}).json()["data"]) == 2
    assert refused_field(archer.get(f"{drafts(office)}?limit=0")) == "limit"


@pytest.mark.parametrize(
    ("dial", "asked", "not_asked"), [("asked", True, False), ("always", True, True), ("absent", False, False)]
)
def test_totals(office: Simulator, archer: Caller, dial: str, asked: bool, not_asked: bool) -> None:
    office.settings.totals = dial
    for path in (drafts(office), "documents", "workspaces"):
        assert ("total_count" in archer.get(f"{path}?total=true").json()) is asked
        assert ("total_count" in archer.get(path).json()) is not_asked


def test_paging_can_be_ignored_and_searches_capped(office: Simulator, archer: Caller) -> None:
    first = archer.data(f"{drafts(office)}?limit=1")
    office.settings.paging = "ignored"
    assert archer.data(f"{drafts(office)}?limit=1&offset=1") == first
    office.settings.search_cap = 2
    assert len(archer.data("documents?limit=9")["results"]) == 2
    assert archer.get("documents?total=true").json()["total_count"] == 2
    posted = archer.call("POST", "documents/search", json={"limit": 9}).json()
    assert (len(posted["data"]), posted["overflow"]) == (2, True)


def test_shapes_that_clients_do_not_know(office: Simulator, archer: Caller) -> None:
    office.settings.list_shape = "unknown_key"
    assert set(archer.get(drafts(office)).json()["data"]) == {"entries"}
    office.settings.list_shape = "empty_without_data"
    empty = f"folders/{office.world.folder('Superseded').id}/documents"
    assert "data" not in archer.get(empty).json()
    assert isinstance(archer.get(drafts(office)).json()["data"], list)


@pytest.mark.parametrize(
    ("dial", "word"), [("known", "full_access"), ("absent", None), ("other_words", "owner")]
)
def test_effective_security(office: Simulator, archer: Caller, dial: str, word: str | None) -> None:
    office.settings.effective_security = dial
    row = archer.data(f"folders/{office.world.folder('Drafts').id}")
    assert row.get("effective_security") == word


# -- documents --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dial", ["md5", "lower_case", "other_bytes"])
def test_checksums_with_another_meaning(office: Simulator, archer: Caller, dial: str) -> None:
    office.settings.checksum = dial
    content = archer.get(f"documents/{agreement(office)}/download").content
    digest = hashlib.sha256(content).hexdigest()
    expected = {
        "md5": "MD5:" + hashlib.md5(content, usedforsecurity=False).hexdigest().upper(),
        "lower_case": digest,
        "other_bytes": "SHA256:" + hashlib.sha256(digest.encode()).hexdigest().upper(),
    }
    assert archer.data(f"documents/{agreement(office)}")["checksum"] == expected[dial]


def test_types_that_a_library_has(office: Simulator, archer: Caller) -> None:
    office.settings.update({"types_missing": ["WORDX"], "fallback_type": "ANSI"})
    assert "WORDX" not in {one["id"] for one in archer.data("types?limit=100")}

    def made(**profile: str) -> requests.Response:
        return archer.send("POST", drafts(office), b"x", {"name": "Typed"} | profile)

    assert made(extension="docx").json()["data"]["type"] == "ANSI"
    assert made(extension="").status_code == 400
    assert made(extension="pdf", type="WORDX").json()["data"]["type"] == "ACROBAT"
    office.settings.unknown_types = "kept"
    assert made(extension="pdf", type="WORDX").json()["data"]["type"] == "WORDX"
    office.settings.unknown_types = "refused"
    assert refused_field(made(extension="pdf", type="WORDX")) == "type"
    office.settings.extension_needs_type = True
    assert refused_field(made(extension="docx")) == "extension"
    assert made(extension="pdf").status_code == 201


def test_fields_that_an_upload_takes(office: Simulator, archer: Caller) -> None:
    office.settings.update(
        {
            "fields_refused": ["author", "inherit_profile_from_folder"],
            "fields_ignored": ["comment"],
            "version_fields_refused": ["comment"],
            "version_fields_ignored": ["author", "audit"],
        }
    )
    new = {"name": "Fields", "extension": "txt"}
    assert refused_field(archer.send("POST", drafts(office), b"x", new | {"author": "BRAM"})) == "author"
    inherit = archer.send("POST", drafts(office), b"x", new, inherit_profile_from_folder=True)
    assert refused_field(inherit) == "inherit_profile_from_folder"
    made = archer.send("POST", drafts(office), b"x", new | {"comment": "Mark"}).json()["data"]
    assert made["comment"] == ""
    path = f"documents/{made['id']}"
    for method, below in (("POST", "versions"), ("PUT", "file")):
        assert refused_field(archer.send(method, f"{path}/{below}", b"y", {"comment": "Mark"})) == "comment"
    version = archer.send("POST", f"{path}/versions", b"y", {"author": "BRAM"}, audit={"comments": "Mark"})
    assert version.json()["data"]["author"] == "ALICE"
    assert archer.data(f"{path}/history")[0]["comments"] == ""


def test_required_fields_by_class(office: Simulator, archer: Caller) -> None:
    office.settings.required_fields = {"DOC": ["custom3"], "KNOWHOW": []}
    new = {"name": "Required", "extension": "txt"}
    assert refused_field(archer.send("POST", drafts(office), b"x", new)) == "custom3"
    flagged = archer.send("POST", drafts(office), b"x", new, warnings_for_required_and_disabled_fields=True)
    assert [one["field"] for one in flagged.json()["warnings"]] == ["custom3"]
    assert archer.send("POST", drafts(office), b"x", new | {"class": "KNOWHOW"}).status_code == 201
    classes = {one["id"]: one["required_fields"] for one in archer.data("classes")}
    assert (classes["DOC"], classes["KNOWHOW"], classes["AGREEMENT"]) == (["custom3"], [], ["custom2"])


def test_sizes_and_duplicates_are_refused_with_a_status_of_choice(office: Simulator, archer: Caller) -> None:
    office.settings.update({"max_upload_bytes": 3, "too_large_status": 400, "duplicate_names": False})
    office.settings.duplicate_status = 400
    new = {"name": "Twice", "extension": "txt"}
    assert refused_field(archer.send("POST", drafts(office), b"four", new)) == "file"
    assert archer.send("POST", drafts(office), b"one", new).status_code == 201
    assert refused_field(archer.send("POST", drafts(office), b"one", new)) == "name"


# -- refusals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dial", "code"), [("named", "NRC_IN_USE"), ("generic", "NRC_FAILURE"), ("absent", None)]
)
def test_codes_of_errors(office: Simulator, archer: Caller, dial: str, code: str | None) -> None:
    office.settings.error_codes = dial
    path = f"documents/{office.world.named('Disclosure letter').id()}/versions"
    error = archer.send("POST", path, b"x").json()["error"]
    assert (error.get("code"), "checked out" in error["code_message"]) == (code, True)


@pytest.mark.parametrize(
    ("dial", "headers"),
    [
        ("ratelimit", {"x-ratelimit-reset", "x-ratelimit-remaining"}),
        ("retry_after", {"retry-after"}),
        ("both", {"x-ratelimit-reset", "x-ratelimit-remaining", "retry-after"}),
        ("absent", set()),
    ],
)
def test_headers_of_a_429(office: Simulator, archer: Caller, dial: str, headers: set[str]) -> None:
    office.settings.update({"rate_limit": 0, "rate_limit_headers": dial})
    answer = archer.get("types")
    given = {"x-ratelimit-reset", "x-ratelimit-remaining", "retry-after"} & {
        one.lower() for one in answer.headers
    }
    assert (answer.status_code, given) == (429, headers)


@pytest.mark.parametrize(
    ("dial", "status", "kind"),
    [
        ("401", 401, "application/json"),
        ("403", 403, "application/json"),
        ("redirect", 302, ""),
        ("page", 200, "text/html"),
    ],
)
def test_the_end_of_a_session(office: Simulator, archer: Caller, dial: str, status: int, kind: str) -> None:
    office.settings.ended_sessions = dial
    assert archer.get("types").status_code == 200
    ended = archer.get("types", headers={"X-Auth-Token": "gone"}, allow_redirects=False)
    assert (ended.status_code, ended.headers.get("Content-Type", "").startswith(kind)) == (status, True)
    assert ended.headers.get("Location") == (f"{office.url}/login" if status == 302 else None)


@pytest.mark.parametrize(
    ("dial", "one", "other", "both"),
    [
        ("either", 200, 200, 200),
        ("x-auth-token", 200, 401, 200),
        ("bearer", 401, 200, 200),
        ("both", 401, 401, 200),
    ],
)
def test_the_header_of_the_token(office: Simulator, dial: str, one: int, other: int, both: int) -> None:
    office.settings.auth_header = dial
    token = office.token_for("alice")
    headers = [{"X-Auth-Token": token}, {"Authorization": f"Bearer {token}"}]
    url = f"{office.url}/work/api/v2/customers/4242/libraries"
    answers = [
        requests.get(url, headers=each, timeout=5).status_code for each in (*headers, headers[0] | headers[1])
    ]
    assert answers == [one, other, both]


def test_discovery_can_have_one_address_only(office: Simulator) -> None:
    office.settings.missing = ("^GET /api$",)
    assert requests.get(f"{office.url}/api", timeout=5).status_code == 404
    assert requests.get(f"{office.url}/work/api", timeout=5).status_code == 200


def test_filters_and_the_index_can_be_missing(office: Simulator, archer: Caller) -> None:
    office.settings.filters_refused = ("container_id",)
    inside = {"filters": {"container_id": office.world.folder("Drafts").id}}
    assert refused_field(archer.call("POST", "documents/search", json=inside)) == "container_id"
    assert archer.call("POST", "documents/search", json={}).status_code == 200
    office.settings.search_index = False
    for answer in (archer.call("POST", "documents/search", json={}), archer.get("documents?name=deed")):
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "NRC_INDEX_UNAVAILABLE")
    assert archer.get(drafts(office)).status_code == 200
