"""View as: a member sees exactly what a guest gets, changes nothing, and is named in the audit log."""

from __future__ import annotations

import io
import re
import uuid
from dataclasses import dataclass

import pytest
from flask import Flask

from models import AuditEvent, Member
from services.core.unit_of_work import session
from services.matters import documents, participants, undertakings
from tests.support.matters import add_document, current_version, open_matter
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member


@dataclass
class Firm:
    """A matter with a guest who edits and one who reads, and a document that is held."""

    lead: Browser
    people: dict[str, Member]
    matter_id: uuid.UUID
    document_id: uuid.UUID
    held_id: uuid.UUID

    def view_as(self, browser: Browser, who: str) -> int:
        data = {"guest": str(self.people[who].id)}
        return browser.post(f"/matters/{self.matter_id}/view-as", data).status_code


@pytest.fixture
def firm(app: Flask, database: None) -> Firm:
    people = {
        "lead": make_member("Lea Lead", is_admin=True),
        "editor": make_member("Gina Bank", organisation="Harbour Bank", is_guest=True),
        "viewer": make_member("Hal Bank", organisation="Harbour Bank", is_guest=True),
        "member": make_member("Vic Viewer"),
    }
    lead = actor_of(people["lead"])
    matter_id = open_matter(lead, editor=people["editor"], viewer=people["viewer"], viewer_2=people["member"])
    document_id = add_document(lead, matter_id)
    held_id = documents.add(lead, matter_id, "Draft.docx", io.BytesIO(b"draft"), is_held=True)
    return Firm(Browser(app).sign_in(people["lead"]), people, matter_id, document_id, held_id)


def bare(html: str) -> str:
    """A page without what belongs to the request, and without the banner."""
    html = re.sub(r'<aside class="cp-practice cp-viewing".*?</aside>', "", html, flags=re.DOTALL)
    html = re.sub(r'content="[^"]{60,}"|value="[^"]{60,}"', "", html)
    return re.sub(r"\n\s*", "\n", html)


def test_the_pages_are_those_that_the_guest_gets(firm: Firm, app: Flask) -> None:
    assert firm.view_as(firm.lead, "editor") == 303
    guest = Browser(app).sign_in(firm.people["editor"])
    for url in (
        "/matters",
        f"/matters/{firm.matter_id}",
        f"/matters/{firm.matter_id}/people",
        f"/documents/{firm.document_id}",
    ):
        seen, own = firm.lead.get(url), guest.get(url)
        assert seen.status_code == own.status_code == 200
        assert "You are viewing this matter as" in seen.text and "Leave" in seen.text
        assert bare(seen.text) == bare(own.text), url
    assert firm.lead.get(f"/documents/{firm.held_id}").status_code == 404
    assert firm.lead.get(f"/versions/{current_version(firm.held_id)}/download").status_code == 404
    assert firm.lead.get(f"/versions/{current_version(firm.document_id)}/download").status_code == 200


def test_every_write_is_refused_and_other_pages_stay_shut(firm: Firm) -> None:
    firm.view_as(firm.lead, "editor")
    url = f"/matters/{firm.matter_id}/documents/new"
    assert firm.lead.get(url).status_code == 200
    answer = firm.lead.post(url, {"file": (io.BytesIO(b"1"), "New.docx")})
    assert answer.status_code == 403 and "you cannot change anything" in answer.text
    version_id = current_version(firm.document_id)
    assert firm.lead.post(f"/versions/{version_id}/current").status_code == 403
    assert firm.lead.post("/account/password", {}).status_code == 403
    for url in ("/account", "/admin/members", "/transfers"):
        assert firm.lead.get(url).status_code in {403, 409}, url
    assert firm.lead.get(f"/matters/{firm.matter_id}/release").status_code in {403, 404}


def test_only_the_matter_in_which_it_began_is_there(firm: Firm, app: Flask) -> None:
    other = actor_of(firm.people["member"])
    elsewhere = open_matter(other, "Theirs", editor=firm.people["editor"])
    firm.view_as(firm.lead, "editor")
    assert "Theirs" not in firm.lead.page("/matters").text
    assert firm.lead.get(f"/matters/{elsewhere}").status_code == 404
    undertakings.change(other, elsewhere, "Confidentiality", "Of theirs.")
    assert firm.lead.get(f"/matters/{elsewhere}/undertaking").status_code == 404
    hidden = add_document(other, elsewhere)
    assert firm.lead.get(f"/documents/{hidden}").status_code == 404
    assert firm.lead.get(f"/versions/{current_version(hidden)}/download").status_code == 404


def test_leaving_goes_back_and_all_of_it_is_audited(firm: Firm) -> None:
    firm.view_as(firm.lead, "editor")
    firm.lead.get(f"/versions/{current_version(firm.document_id)}/download").close()
    assert firm.lead.post("/view-as/leave").status_code == 303
    page = firm.lead.page(f"/matters/{firm.matter_id}")
    assert "You are viewing" not in page.text and "Draft.docx" in page.text
    rows = (
        session().query(AuditEvent).filter(AuditEvent.subject_id.is_not(None)).order_by(AuditEvent.at).all()
    )
    by = {each.action: each for each in rows}
    assert by["view_as.started"].subject == by["view_as.left"].subject == "Gina Bank"
    downloaded = by["version.downloaded"]
    assert downloaded.actor_id == firm.people["lead"].id
    assert downloaded.detail["viewed_as"].startswith("Gina Bank")
    assert firm.lead.post("/view-as/leave").status_code == 303, "leaving again does nothing"


def test_who_may_view_as_whom(firm: Firm, app: Flask) -> None:
    guest, viewer = Browser(app).sign_in(firm.people["editor"]), Browser(app).sign_in(firm.people["member"])
    assert firm.view_as(guest, "viewer") == 404
    assert firm.view_as(viewer, "viewer") == 403
    assert firm.view_as(firm.lead, "member") == 404, "a member of the firm is nobody to view as"
    stranger = make_member("Sue", organisation="Elsewhere", is_guest=True)
    assert (
        firm.lead.post(f"/matters/{firm.matter_id}/view-as", {"guest": str(stranger.id)}).status_code == 404
    )
    outsider = Browser(app).sign_in(make_member("Otto Outside", is_admin=True))
    assert firm.view_as(outsider, "editor") == 404


def test_an_organisation_is_viewed_as_a_guest_who_only_reads(firm: Firm) -> None:
    form = firm.lead.page(f"/matters/{firm.matter_id}/view-as", htmx=True)
    assert "Anyone from Harbour Bank" in form.text
    organisation = str(firm.people["editor"].organisation_id)
    answer = firm.lead.post(f"/matters/{firm.matter_id}/view-as", {"organisation": organisation})
    assert answer.status_code == 303
    page = firm.lead.page(f"/matters/{firm.matter_id}")
    assert "You are viewing this matter as Hal Bank" in page.text and "Add document" not in page.text


def test_it_ends_with_the_right_with_the_guest_and_with_the_session(firm: Firm, app: Flask) -> None:
    lead = actor_of(firm.people["lead"])
    firm.view_as(firm.lead, "editor")
    participants.remove(lead, firm.matter_id, firm.people["editor"].id)
    assert "You are viewing" not in firm.lead.page(f"/matters/{firm.matter_id}").text
    firm.view_as(firm.lead, "viewer")
    participants.add(lead, firm.matter_id, make_member("Second").id, "lead")
    participants.change_role(lead, firm.matter_id, lead.id, "viewer")
    assert "You are viewing" not in firm.lead.page(f"/matters/{firm.matter_id}").text
    assert "You are viewing" not in Browser(app).sign_in(firm.people["lead"]).page("/matters").text
