"""iManage on a matter's pages: what members see of it, and that guests see not one byte."""

from __future__ import annotations

import io
import uuid
from dataclasses import dataclass

import pytest

from models import Link, Member, Server
from services.core.unit_of_work import unit_of_work
from services.matters import adding, versions
from tests.support.matters import add_document, add_server, add_twin, current_version, open_matter
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member

LABEL = "London DMS"


@dataclass
class Bound:
    """A matter with a document whose twin is behind, a viewer of the firm and a guest who edits."""

    lead: Member
    viewer: Member
    guest: Member
    matter_id: uuid.UUID
    document_id: uuid.UUID
    server_id: uuid.UUID


@pytest.fixture
def bound(database: None) -> Bound:
    ann, ben = make_member("Ann"), make_member("Ben")
    gina = make_member("Gina", organisation="Harbour Bank", is_guest=True)
    lead = actor_of(ann)
    matter_id = open_matter(lead, viewer=ben, editor=gina)
    document_id = add_document(lead, matter_id)
    with unit_of_work() as writing:
        adding.add(
            writing,
            matter_id,
            ann.id,
            "Lease.docx",
            "0" * 64,
            5,
            document_id=document_id,
            note="From Active 104512",
        )
    server_id = add_server(LABEL)
    add_twin(document_id, server_id, ann.id, latest_version=4)
    return Bound(ann, ben, gina, matter_id, document_id, server_id)


def test_a_member_sees_the_actions_and_that_nothing_syncs_by_itself(browser: Browser, bound: Bound) -> None:
    browser.sign_in(bound.lead)
    page = browser.page(f"/matters/{bound.matter_id}")
    assert "Get from iManage" in page.text and "Save to iManage" in page.text
    assert "Active 104512 v3" in page.text and "Newer in iManage" in page.text
    assert "Nothing syncs automatically." in page.text
    assert f"/matters/{bound.matter_id}/get/{bound.server_id}" in page.html
    menu = browser.page(f"/documents/{bound.document_id}/actions", htmx=True)
    for words in (
        "Download",
        "New version",
        "Get from iManage",
        "Save to iManage",
        "Open in iManage",
        "History",
    ):
        assert words in menu.text
    assert f"/matters/{bound.matter_id}/get/{bound.server_id}?document={bound.document_id}" in menu.html
    assert 'target="_blank" rel="noopener' in menu.html
    document = browser.page(f"/documents/{bound.document_id}")
    assert "Got from iManage by Ann" in document.text and "Open in iManage" in document.text
    assert "Newer in iManage" in document.text and "iManage has version 4" in document.text
    assert "Nothing syncs automatically." in document.text
    assert "https://london-dms.cloudimanage.com/work/link/d/Active!104512.3" in document.links


def test_a_row_speaks_of_the_current_version(browser: Browser, bound: Bound) -> None:
    """Not by the document's newest link: an older version made current counts by its own link."""
    browser.sign_in(bound.lead)
    pages = (f"/matters/{bound.matter_id}", f"/documents/{bound.document_id}")
    lead, older = actor_of(bound.lead), current_version(bound.document_id)
    newer = versions.add(lead, bound.document_id, "Lease.docx", io.BytesIO(b"changed"), "")
    assert isinstance(newer, versions.Added)
    for url in pages:
        page = browser.page(url)
        assert "Changed on both sides" in page.text and "Newer in" not in page.text
    add_twin(bound.document_id, bound.server_id, bound.lead.id, version=4, latest_version=4)
    for url in pages:
        page = browser.page(url)
        assert "Active 104512 v4 Same" in page.text or "Same Active 104512 v4" in page.text
    versions.make_current(lead, older)
    row = browser.page(pages[0]).text
    assert "Active 104512 v3 Newer in iManage" in row and "v4" not in row
    document = browser.page(pages[1]).text
    assert (
        "iManage has version 4 (version 3 here). Version 2 here, the current one, is version 3 there."
        in document
    )


def test_a_change_here_that_was_not_saved_is_marked(browser: Browser, bound: Bound) -> None:
    browser.sign_in(bound.lead)
    add_twin(bound.document_id, bound.server_id, bound.lead.id, version=4, latest_version=4)
    versions.add(actor_of(bound.lead), bound.document_id, "Lease.docx", io.BytesIO(b"changed"), "")
    for url in (f"/matters/{bound.matter_id}", f"/documents/{bound.document_id}"):
        assert "Changed here" in browser.page(url).text


@pytest.mark.parametrize(("kept", "badge"), [("lost", "Lost"), ("forbidden", "No access")])
def test_what_imanage_refused_is_shown(browser: Browser, bound: Bound, kept: str, badge: str) -> None:
    browser.sign_in(bound.lead)
    with unit_of_work() as writing:
        writing.query(Link).one().state = kept
    for url in (f"/matters/{bound.matter_id}", f"/documents/{bound.document_id}"):
        assert badge in browser.page(url).text


def test_with_several_servers_their_names_stand_in_place_of_imanage(browser: Browser, bound: Bound) -> None:
    add_server("Paris DMS")
    page = browser.sign_in(bound.lead).page(f"/matters/{bound.matter_id}")
    for words in (
        "Get from London DMS",
        "Get from Paris DMS",
        "Save to Paris DMS",
        "Newer in iManage London DMS",
    ):
        assert words in page.text
    assert "Get from iManage" not in page.text
    add_server("Rome DMS")
    page = browser.page(f"/matters/{bound.matter_id}")
    assert "Get from Rome DMS" in page.text and 'popovertarget="servers"' in page.html


def test_saving_begun_at_the_matter_asks_which_document(browser: Browser, bound: Bound) -> None:
    browser.sign_in(bound.lead)
    url = f"/matters/{bound.matter_id}/save/{bound.server_id}"
    pop_up = browser.page(url, htmx=True)
    assert "Save to iManage" in pop_up.text and "Lease.docx" in pop_up.text
    assert f"/documents/{bound.document_id}/save/{bound.server_id}" in pop_up.html
    assert "No documents found" in browser.page(f"{url}?q=nothing", htmx=True).text
    assert browser.get(f"/matters/{bound.matter_id}/save/{uuid.uuid4()}").status_code == 404


def test_a_viewer_sees_twins_and_no_transfer(browser: Browser, bound: Bound) -> None:
    browser.sign_in(bound.viewer)
    page = browser.page(f"/matters/{bound.matter_id}")
    assert "Active 104512 v3" in page.text and "Get from" not in page.text and "Save to" not in page.text
    menu = browser.page(f"/documents/{bound.document_id}/actions", htmx=True)
    assert "Open in iManage" in menu.text and "Get from" not in menu.text
    assert browser.get(f"/matters/{bound.matter_id}/save/{bound.server_id}").status_code == 403


def test_a_server_that_is_off_leaves_no_trace(browser: Browser, bound: Bound) -> None:
    with unit_of_work() as writing:
        writing.get_one(Server, bound.server_id).is_enabled = False
    html = browser.sign_in(bound.lead).page(f"/matters/{bound.matter_id}").html
    assert "iManage" not in html and "104512" not in html


def test_a_guest_gets_not_one_byte_of_imanage(browser: Browser, bound: Bound) -> None:
    browser.sign_in(bound.guest)
    matter, document = f"/matters/{bound.matter_id}", f"/documents/{bound.document_id}"
    version = f"/versions/{current_version(bound.document_id)}"
    opened = [
        ("/", False),
        ("/", True),
        (matter, False),
        (matter, True),
        (f"{matter}?open=get-{bound.server_id}", False),
        (f"{matter}?open=save-{bound.document_id}-{bound.server_id}", False),
        (f"{matter}?q=lease", True),
        (f"{matter}/people", False),
        (f"{matter}/documents/new", True),
        (document, False),
        (f"{document}/actions", True),
        (f"{document}/rename", True),
        (f"{document}/versions/new", True),
        ("/account", False),
    ]
    for url, htmx in opened:
        response = browser.get(url, htmx=htmx)
        assert response.status_code == 200, url
        answer = f"{response.headers}{response.get_data(as_text=True)}".casefold()
        for secret in (
            "imanage",
            "london",
            "104512",
            "active!",
            "twin",
            "/get/",
            "/save/",
            str(bound.server_id),
        ):
            assert secret not in answer, (url, secret)
    refused = browser.get(f"{matter}/save/{bound.server_id}")
    assert refused.status_code == 404 and "imanage" not in refused.get_data(as_text=True).casefold()
    assert "imanage" not in str(browser.client.head(f"{version}/download").headers).casefold()


def test_the_page_opens_the_pop_up_that_a_person_came_back_for(browser: Browser, bound: Bound) -> None:
    browser.sign_in(bound.lead)
    matter = f"/matters/{bound.matter_id}"
    get = browser.page(f"{matter}?open=get-{bound.server_id}").html
    assert f'<div hx-get="{matter}/get/{bound.server_id}" hx-trigger="load" hx-target="#dialog"' in get
    onto = browser.page(f"{matter}?open=get-{bound.server_id}-{bound.document_id}").html
    assert f'hx-get="{matter}/get/{bound.server_id}?document={bound.document_id}" hx-trigger="load"' in onto
    save = browser.page(f"{matter}?open=save-{bound.document_id}-{bound.server_id}").html
    assert f'hx-get="/documents/{bound.document_id}/save/{bound.server_id}" hx-trigger="load"' in save


@pytest.mark.parametrize(
    "asked",
    [
        "get-",
        "get-{unknown}",
        "get-{server}x",
        "get-{server}\n",
        "GET-{server}",
        "save-{server}",
        "save-{document}-{unknown}",
        "//evil.test",
        "javascript:alert(1)",
        '"><script>',
        "get-{server}/../../admin",
    ],
)
def test_nothing_else_is_opened(browser: Browser, bound: Bound, asked: str) -> None:
    browser.sign_in(bound.lead)
    text = asked.format(server=bound.server_id, document=bound.document_id, unknown=uuid.uuid4())
    response = browser.get(f"/matters/{bound.matter_id}", query_string={"open": text})
    html = response.get_data(as_text=True)
    assert response.status_code == 200
    assert 'hx-trigger="load" hx-target="#dialog"' not in html
    assert "evil.test" not in html and "<script>" not in html.split("<body", 1)[1]
