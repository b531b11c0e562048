"""The pop-up of Get: looking around in iManage as oneself, choosing there, and what is said when it fails."""

from __future__ import annotations

import uuid

import pytest

from models import Participant, Server
from services.core import bulkhead
from services.core.unit_of_work import unit_of_work
from simulator import Fault, Simulator
from tests.support.pages import Browser, read
from tests.support.people import actor_of, make_member
from tests.support.picker import Desk, add_document, link, make_matter, step


def test_the_pop_up_opens_before_imanage_is_asked(desk: Desk) -> None:
    page = desk.browser.page(f"/matters/{desk.matter_id}/get/{desk.server_id}", htmx=True)
    assert "Get from iManage" in page.text
    assert "Search iManage" in page.text
    assert "Everybody in the matter No guest can see it now." in page.text
    assert uuid.UUID(page.value_of("request_key"))
    assert desk.calls() == []


def test_each_pop_up_has_a_key_of_its_own(desk: Desk) -> None:
    url = f"/matters/{desk.matter_id}/get/{desk.server_id}"
    keys = {desk.browser.page(url, htmx=True).value_of("request_key") for _ in range(2)}
    assert len(keys) == 2


def test_the_pop_up_says_who_outside_the_firm_will_see_it(desk: Desk) -> None:
    people = [
        make_member(name, is_guest=True, organisation=organisation)
        for name, organisation in (("Ann", "Harbour plc"), ("Ben", "Harbour plc"), ("Cy", "Kestrel"))
    ]
    with unit_of_work() as writing:
        for person in people:
            writing.add(Participant(matter_id=desk.matter_id, member_id=person.id, role="viewer"))
    page = desk.browser.page(f"/matters/{desk.matter_id}/get/{desk.server_id}", htmx=True)
    assert "Members and these guests Harbour plc : Ann, Ben Kestrel : Cy Hold for members" in page.text
    assert page.value_of("readers")


def test_down_from_workspace_to_document_with_one_call_a_step(desk: Desk) -> None:
    heron = step(desk.practice, "Project Heron", "w")
    top = desk.look(heron)
    assert "Drafts" in top.text and "Correspondence" in top.text
    desk.practice.forget_requests()
    drafts = desk.look(heron, step(desk.practice, "Drafts"))
    assert len(desk.calls()) == 1
    assert "Heads of terms" in drafts.text
    sources = [control["value"] for control in drafts.controls if control.get("name") == "source"]
    assert sources and all(value.startswith("Active!") and "." in value for value in sources)


def test_the_breadcrumb_is_above_the_list(desk: Desk) -> None:
    page = desk.look(step(desk.practice, "Project Heron", "w"), step(desk.practice, "Drafts"))
    assert page.text.index("Workspaces") < page.text.index("Project Heron") < page.text.index("Drafts")


def test_three_thousand_documents_come_a_hundred_at_a_time(desk: Desk) -> None:
    many = step(desk.practice, "Disclosure")
    first = desk.look(many)
    assert len([each for each in first.controls if each.get("name") == "source"]) == 100
    assert "100 of 3,000 shown" in first.text
    desk.practice.forget_requests()
    second = desk.look(many, offset=100)
    shown = [each["value"] for each in second.controls if each.get("name") == "source"]
    assert len(shown) == 100
    assert not set(shown) & {each.get("value") for each in first.controls}
    assert len(desk.calls()) == 1
    last = desk.look(many, offset=2900)
    assert "No more to show." in last.text


def test_columns_of_a_document(desk: Desk) -> None:
    page = desk.look(step(desk.practice, "Drafts"))
    for heading in ("Name", "Number", "Version", "Type", "Author", "Edited", "Size"):
        assert heading in page.text
    assert "SPA – Project Heron.docx" in page.text


@pytest.mark.parametrize("shelf", ["recent", "mine", "favourites", "nonsense"])
def test_every_shelf_answers(desk: Desk, shelf: str) -> None:
    page = desk.look(shelf=shelf)
    assert "Recent workspaces" in page.text and "My matters" in page.text and "Favourites" in page.text
    assert 1 <= len(desk.calls()) <= 3  # the libraries, and one call for each


def test_favourites_are_the_persons_own(desk: Desk) -> None:
    assert "Project Heron" in desk.look(shelf="favourites").text


def test_a_search_finds_workspaces_and_documents(desk: Desk) -> None:
    page = desk.look(q="heron")
    assert "Project Heron" in page.text
    assert "SPA – Project Heron.docx" in page.text
    assert len(desk.calls()) == 2


def test_a_search_inside_a_folder_stays_there(desk: Desk) -> None:
    page = desk.look(step(desk.practice, "Drafts"), q="SPA")
    assert "SPA – Project Heron.docx" in page.text
    assert "Search all of iManage" in page.text
    assert len(desk.calls()) == 1


def test_a_search_without_a_find_says_so(desk: Desk) -> None:
    page = desk.look(q="zyxwvut <b>nothing</b>")
    assert "Nothing found" in page.text
    assert "<b>nothing" not in page.html


def test_an_empty_folder_says_so(desk: Desk) -> None:
    assert "This folder is empty" in desk.look(step(desk.practice, "Empty folder")).text


def test_names_in_many_scripts_and_with_markup(desk: Desk) -> None:
    page = desk.look(step(desk.practice, "Names in several scripts"))
    for name in ("Договор купли-продажи", "اتفاقية شراء الأسهم", "株式譲渡契約書"):
        assert name in page.text
    assert "O'Brien & Sons <Builders> Ltd" in desk.look(q="Quay").text


def test_a_document_that_is_here_already_is_marked_with_both_versions(desk: Desk) -> None:
    spa = desk.practice.world.named("SPA – Project Heron")
    link(desk, add_document(desk), spa.number, 2)
    page = desk.look(step(desk.practice, "Drafts"))
    assert (
        "Newer in iManage iManage has version 3. Version 1 here, the current one, is version 2 there."
        in page.text
    )


def test_each_version_is_marked_against_the_one_here(desk: Desk) -> None:
    spa = desk.practice.world.named("SPA – Project Heron")
    link(desk, add_document(desk), spa.number, 2)
    text = desk.look(f"d:{spa.id()}:SPA").text
    assert (
        text.index("Newer in iManage")
        < text.index("Same This is version 1 here, the current version.")
        < text.index("Older than the copy here.")
    )
    assert "Versions of SPA" in text and "3 versions of SPA" in text and "documents" not in text


def test_an_older_version_can_be_chosen(desk: Desk) -> None:
    spa = desk.practice.world.named("SPA – Project Heron")
    way = (step(desk.practice, "Drafts"), f"d:{spa.id()}:SPA – Project Heron.docx")
    desk.practice.forget_requests()
    page = desk.look(*way)
    sources = [each["value"] for each in page.controls if each.get("name") == "source"]
    assert sources == [f"Active!{spa.number}.{version}" for version in (3, 2, 1)]
    assert len(desk.calls()) == 1
    for steps in (way, way[1:]):
        assert "SPA – Project Heron.docx" in desk.look(*steps, q="SPA").text


def test_an_address_alone_leads_to_the_matter_s_page(desk: Desk) -> None:
    document_id = add_document(desk)
    matter = f"/matters/{desk.matter_id}"
    for url, opens in (
        (f"{matter}/get/{desk.server_id}", f"get-{desk.server_id}"),
        (f"{matter}/get/{desk.server_id}?document={document_id}", f"get-{desk.server_id}-{document_id}"),
        (f"/documents/{document_id}/save/{desk.server_id}", f"save-{document_id}-{desk.server_id}"),
    ):
        response = desk.browser.get(url)
        assert (response.status_code, response.headers["Location"]) == (303, f"{matter}?open={opens}")
        assert 'hx-trigger="load"' in desk.browser.get(response.headers["Location"]).get_data(as_text=True)


def test_as_a_new_version_one_document_is_chosen(desk: Desk) -> None:
    document_id = add_document(desk)
    url = f"/matters/{desk.matter_id}/get/{desk.server_id}?document={document_id}"
    page = desk.browser.page(url, htmx=True)
    assert "As a new version of Lease.docx" in page.text
    rows = desk.look(step(desk.practice, "Drafts"), document=document_id)
    assert {each["type"] for each in rows.controls if each.get("name") == "source"} == {"radio"}


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault("status", path="/children", status=500, times=None), "iManage has an internal error."),
        (
            Fault("status", path="/children", status=403, times=None),
            "You do not have permission to do this in iManage.",
        ),
        (Fault("status", path="/children", status=404, times=None), "iManage cannot find this."),
        (
            Fault("throttle", path="/children", reset=40),
            "iManage is busy and asked Counterpart to wait 40 seconds.",
        ),
        (
            Fault("status", path="/children", status=407, html=True, times=None),
            "asked for a sign-in of its own and let nothing through.",
        ),
        (Fault("html", path="/children", times=None), "Something other than iManage"),
        (
            Fault("json", path="/children", body={"nothing": []}, times=None),
            "Something other than iManage",
        ),
        (
            Fault("redirect", path="/children", location="https://evil.example/"),
            "redirected Counterpart to another address",
        ),
        (Fault("cut", path="/children", at=20, times=None), "iManage closed the connection."),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
def test_a_failure_is_a_sentence_in_the_pop_up_with_another_try(
    desk: Desk, fault: Fault, sentence: str
) -> None:
    desk.practice.faults.add(fault)
    response = desk.browser.post(desk.base, {"step": step(desk.practice, "Drafts")}, htmx=True)
    assert response.status_code == 502
    assert response.headers["HX-Retarget"] == "#picker-list"
    page = read(response, whole=False)
    assert sentence in page.text and "Try again" in page.text
    assert page.value_of("step") == step(desk.practice, "Drafts")


@pytest.mark.parametrize("shape", ["array", "results", "object"])
def test_every_shape_of_a_list_is_read(desk: Desk, shape: str) -> None:
    desk.practice.settings.update({"list_shape": shape})
    assert "Drafts" in desk.look(step(desk.practice, "Project Heron", "w")).text


@pytest.mark.parametrize("bad", ["f:../../etc:x", "f:Active!1/2:x", "f::", "nonsense", "z:Active!1:x"])
def test_a_made_up_place_reaches_nothing(desk: Desk, bad: str) -> None:
    desk.browser.post(desk.base, {"step": bad}, htmx=True)
    assert not [path for path in desk.calls() if "etc" in path or "folders" in path]


def test_an_ended_sign_in_asks_for_a_new_one_and_comes_back(desk: Desk) -> None:
    desk.practice.faults.add(Fault("expire_tokens", path="/recent-workspaces", times=None))
    desk.practice.faults.add(Fault("refuse_refresh", path="/oauth2/token"))
    response = desk.browser.post(desk.base, htmx=True)
    assert response.status_code == 409
    assert response.headers["HX-Retarget"] == "#dialog"
    page = read(response, whole=False)
    assert "iManage no longer accepts your sign-in." in page.text
    assert page.value_of("return_to") == f"/matters/{desk.matter_id}?open=get-{desk.server_id}"


def test_without_a_sign_in_the_pop_up_asks_for_it(
    browser: Browser, practice: Simulator, server: Server
) -> None:
    member = make_member("Carol Okonkwo")
    actor = actor_of(member)
    matter_id = make_matter(actor)
    page = browser.sign_in(member).page(f"/matters/{matter_id}/get/{server.id}", htmx=True)
    assert "You have not signed in to iManage yet." in page.text
    assert page.value_of("return_to") == f"/matters/{matter_id}?open=get-{server.id}"


def test_when_too_many_wait_for_imanage_it_is_said_and_imanage_is_not_asked(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    slots = bulkhead.Slots()
    monkeypatch.setattr(bulkhead, "slots", slots)
    monkeypatch.setattr(bulkhead, "WAIT_SECONDS", 0.0)
    for _ in range(bulkhead.MAX_SLOTS):
        slots.acquire(uuid.uuid4())
    page = desk.look(status=502)
    assert "iManage is slow: other people’s pages are still waiting for it." in page.text
    assert desk.calls() == []
    assert desk.browser.get("/matters").status_code == 200


def test_a_refused_search_is_told_as_one_with_what_imanage_says(desk: Desk) -> None:
    hostile = "No <b>wildcards</b>”. \u202eAsk evil.example"
    desk.practice.faults.add(
        Fault("status", path="anywhere=", status=400, code="NRC_INVALID_PARAM", message=hostile, times=None)
    )
    page = desk.look(q="le*se", status=502)
    assert "did not accept this search." in page.text
    assert 'iManage says: “No <b>wildcards</b>". Ask evil.example” (NRC_INVALID_PARAM).' in page.text
    assert "<b>" not in page.html
    assert "profile" not in page.text
