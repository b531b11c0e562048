"""No combination of settings makes the server fail: it answers or refuses, always as its description of errors says."""

from __future__ import annotations

import random
from typing import Any

import pytest
import requests

from simulator import Settings, Simulator
from simulator.settings import CHOICES
from tests.contracts.simulator.caller import Caller

VALUES: dict[str, list[Any]] = {
    "discovery_extra": [{"region": "eu"}],
    "discovery_without": [["work.libraries"], ["capabilities"], ["work"]],
    "dms_version": ["10.4.0"],
    "issuer": ["https://dms.example"],
    "max_limit": [2, 500],
    "default_limit": [1],
    "search_cap": [1],
    "missing": [["/types$"], ["documents/search$"], ["recent"], ["/path$"]],
    "missing_status": [405, 501],
    "filters_refused": [["container_id"]],
    "search_folder_marks": [["view_type"], []],
    "document_containers": [["regular"], []],
    "size_off": [-5, 5],
    "upload_status": [200],
    "max_upload_bytes": [3],
    "too_large_status": [400],
    "fields_refused": [["comment"], ["inherit_profile_from_folder", "author"]],
    "fields_ignored": [["comment"], ["name"]],
    "version_fields_refused": [["comment"]],
    "version_fields_ignored": [["comment", "extension"]],
    "required_fields": [{"DOC": ["custom3"]}],
    "types_missing": [["WORDX", "ACROBAT"]],
    "fallback_type": ["ANSI", ""],
    "name_max": [5],
    "duplicate_status": [400],
    "wall_status": [404],
    "checked_out_status": [403, 423],
    "expires_in": ["absent", "soon"],
}
# Their answers are not those of the API, or take time.
APART = {"public_url", "api_url", "ended_sessions", "latency", "rate_limit"}


def flips() -> dict[str, list[Any]]:
    usual = Settings().as_dict()
    switches = {name: [not value] for name, value in usual.items() if isinstance(value, bool)}
    every = switches | {name: list(choices) for name, choices in CHOICES.items()} | VALUES
    return {name: values for name, values in every.items() if name not in APART}


@pytest.mark.parametrize("seed", range(40))
def test_no_combination_breaks_the_server(office: Simulator, archer: Caller, seed: int) -> None:
    draw, every = random.Random(seed), flips()
    chosen = draw.sample(sorted(every), draw.randint(2, 14))
    office.settings.update({name: draw.choice(every[name]) for name in chosen})
    if office.settings.auth_header != "x-auth-token":
        archer.session.headers["Authorization"] = f"Bearer {archer.session.headers['X-Auth-Token']}"
    for answer in _journey(office, archer):
        where = f"{answer.request.method} {answer.request.url} with {chosen}"
        assert "NRC_INTERNAL" not in answer.text and "Practice server fault" not in answer.text, where
        if answer.status_code >= 400 and answer.request.method != "HEAD":
            assert answer.json()["error"]["code_message"], where
        elif "json" in answer.headers.get("Content-Type", ""):
            answer.json()


def _journey(sim: Simulator, archer: Caller) -> list[requests.Response]:
    world = sim.world
    document, drafts = world.named("Share purchase agreement"), world.folder("Drafts").id
    heron, search = world.folder("Project Heron").id, world.folder("All agreements").id
    here = f"documents/{document.id()}"
    answers = [archer.session.get(f"{sim.url}/api", timeout=5)]
    answers += [
        archer.get(path)
        for path in (
            *("types?total=true", "classes", "forms/visible-fields?form_type=edit_document", "templates"),
            *(
                "recent-workspaces",
                "recent-documents",
                "my-favorites/children",
                "users/alice/my-matters/children",
            ),
            *("workspaces", "folders", "documents?limit=2&offset=1", "documents?paging_mode=standard_cursor"),
            *(
                f"workspaces/{heron}/children",
                f"folders/{drafts}/children?limit=2",
                f"folders/{search}/children",
            ),
            *(f"folders/{search}/operations", here, f"{here}/versions", f"{here}/path", f"{here}/download"),
            *(
                f"documents/Legal!{document.number}",
                f"{here}/security",
                "change-events?cursor=0",
                "documents/Legal!1.1",
            ),
        )
    ]
    inside = {"filters": {"container_id": drafts}, "profile_fields": {"document": ["id", "checksum", "from"]}}
    answers += [
        archer.call("POST", "documents/search", json=inside),
        archer.call("POST", f"folders/{search}/children/browse", json={}),
        archer.call("PATCH", here, json={"comment": "x"}),
        archer.call("POST", f"{here}/lock", json={}),
        archer.call("DELETE", f"{here}/lock"),
        archer.call("POST", f"{here}/copy", json={"folder_id": drafts}),
    ]
    for extension in ("docx", "zzz", ""):
        given = {"name": "New one", "extension": extension, "comment": "c"}
        answers += [
            archer.send(
                "POST", f"folders/{drafts}/documents", b"bytes", given, inherit_profile_from_folder=True
            ),
            archer.send("POST", f"{here}/versions", b"bytes", {"comment": "c"}),
            archer.send("PUT", f"{here}/file", b"by"),
        ]
    answers += [archer.call("DELETE", here), archer.get("trash-bin/documents")]
    return answers
