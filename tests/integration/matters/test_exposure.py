"""Held versions and audiences: what guests see, hold and release, and the question before something lands."""

from __future__ import annotations

import io
import threading
import uuid
from dataclasses import dataclass

import pytest
from flask import Flask

from models import AuditEvent, Document, Member
from services.core.actor import Actor
from services.core.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from services.core.unit_of_work import session
from services.directory.details import Details
from services.matters import audiences, documents, exposure, matters, participants, versions
from services.members import editing
from tests.support.matters import add_document, current_version, open_matter
from tests.support.pages import Browser, read
from tests.support.people import actor_of, make_member


@dataclass
class Firm:
    """A matter of Lea's with guests of two organisations, and one document that everybody sees."""

    lead: Actor
    bank: Actor
    buyer: Actor
    people: dict[str, Member]
    matter_id: uuid.UUID
    document_id: uuid.UUID

    def numbers(self, actor: Actor) -> list[int]:
        """The versions of the document that someone sees; empty where there is no document for them."""
        try:
            documents.find(actor, self.document_id)
        except NotFoundError:
            return []
        return [row.number for row in versions.history(actor, self.document_id).rows]

    def current(self, actor: Actor) -> int | None:
        found = documents.of_matter(actor, self.matter_id).rows
        return next((row.number for row in found if row.id == self.document_id), None)

    def add(self, *, is_held: bool = False, content: bytes = b"") -> uuid.UUID:
        content = content or uuid.uuid4().bytes
        versions.add(self.lead, self.document_id, "Lease.docx", io.BytesIO(content), "", is_held=is_held)
        return current_version(self.document_id)

    def organisation(self, name: str) -> uuid.UUID:
        found = audiences.choices(self.lead, self.matter_id, None)
        return next(each.id for each in found if each.name == name)


@pytest.fixture
def firm(database: None) -> Firm:
    people = {
        "lead": make_member("Lea Lead"),
        "bank": make_member("Gina Bank", organisation="Harbour Bank", is_guest=True),
        "buyer": make_member("Bo Buyer", organisation="Kestrel Ltd", is_guest=True),
    }
    lead = actor_of(people["lead"])
    matter_id = open_matter(lead, editor=people["bank"], viewer=people["buyer"])
    document_id = add_document(lead, matter_id)
    return Firm(lead, actor_of(people["bank"]), actor_of(people["buyer"]), people, matter_id, document_id)


def test_a_held_document_does_not_exist_for_guests(firm: Firm) -> None:
    draft = documents.add(firm.lead, firm.matter_id, "Draft.docx", io.BytesIO(b"draft"), is_held=True)
    assert [row.name for row in documents.of_matter(firm.lead, firm.matter_id).rows] == [
        "Draft.docx",
        "Lease.docx",
    ]
    assert [row.name for row in documents.of_matter(firm.bank, firm.matter_id).rows] == ["Lease.docx"]
    assert matters.find(firm.lead, firm.matter_id).documents == 2
    assert matters.find(firm.bank, firm.matter_id).documents == 1
    assert [row.documents for row in matters.mine(firm.bank).rows] == [1]
    with pytest.raises(NotFoundError):
        documents.find(firm.bank, draft)
    assert versions.history(firm.bank, draft).rows == ()
    with pytest.raises(NotFoundError):
        versions.require(firm.bank, current_version(draft))


def test_guests_keep_the_version_before_a_held_one(firm: Firm) -> None:
    held = firm.add(is_held=True)
    assert firm.numbers(firm.lead) == [2, 1] and firm.numbers(firm.bank) == [1]
    assert firm.current(firm.lead) == 2 and firm.current(firm.bank) == 1
    assert documents.find(firm.bank, firm.document_id).number == 1
    with pytest.raises(NotFoundError):
        versions.require(firm.bank, held)


def test_nothing_of_a_held_version_shows_in_times_and_order(firm: Firm) -> None:
    other = add_document(firm.lead, firm.matter_id, "Other.docx", b"other")
    before = matters.mine(firm.bank).rows[0].changed_at
    firm.add(is_held=True)
    assert matters.mine(firm.bank).rows[0].changed_at == before
    assert [row.id for row in documents.of_matter(firm.bank, firm.matter_id).rows] == [
        other,
        firm.document_id,
    ]
    assert [row.id for row in documents.of_matter(firm.lead, firm.matter_id).rows] == [
        firm.document_id,
        other,
    ]


def test_release_shows_it_from_then_on_and_says_who_did_it(firm: Firm) -> None:
    held = firm.add(is_held=True)
    row = versions.history(firm.lead, firm.document_id).rows[0]
    assert row.held is not None and row.held.by == "Lea Lead" and row.released is None
    assert exposure.release(firm.lead, firm.matter_id, [held]) == 1
    assert firm.numbers(firm.bank) == [2, 1] and firm.current(firm.bank) == 2
    row = versions.history(firm.lead, firm.document_id).rows[0]
    assert row.held is None and row.released is not None and row.released.by == "Lea Lead"
    seen = versions.history(firm.bank, firm.document_id).rows[0]
    assert seen.at == row.released.at and seen.released is None
    event = session().query(AuditEvent).filter_by(action="version.released").one()
    assert event.detail["guests"] == ["Gina Bank (Harbour Bank)", "Bo Buyer (Kestrel Ltd)"]
    assert event.subject == "Lease.docx v2"


def test_hold_takes_a_version_back(firm: Firm) -> None:
    first = current_version(firm.document_id)
    second = firm.add()
    assert exposure.hold(firm.lead, firm.matter_id, [second]) == 1
    assert firm.numbers(firm.bank) == [1] and firm.current(firm.bank) == 1
    assert exposure.hold(firm.lead, firm.matter_id, [first]) == 1
    assert firm.numbers(firm.bank) == [] and firm.current(firm.bank) is None
    assert firm.current(firm.lead) == 2


def test_the_current_version_for_guests_follows_what_they_may_see(firm: Firm) -> None:
    """A version that was made current stays it for guests while newer ones are held."""
    first, _second = current_version(firm.document_id), firm.add()
    versions.make_current(firm.lead, first)
    assert firm.current(firm.bank) == 1
    third = firm.add(is_held=True)
    assert firm.current(firm.bank) == 1, "a held version changes nothing for guests"
    fourth = firm.add(is_held=True)
    exposure.release(firm.lead, firm.matter_id, [third])
    assert firm.current(firm.bank) == 3
    versions.make_current(firm.lead, fourth)
    assert firm.current(firm.bank) == 3
    exposure.release(firm.lead, firm.matter_id, [fourth])
    assert firm.current(firm.bank) == 4


def test_the_second_of_two_who_release_is_told_who_was_first(firm: Firm) -> None:
    held = firm.add(is_held=True)
    exposure.release(firm.lead, firm.matter_id, [held])
    with pytest.raises(ConflictError, match="Lea Lead has already released this"):
        exposure.release(firm.lead, firm.matter_id, [held])
    exposure.hold(firm.lead, firm.matter_id, [held])
    with pytest.raises(ConflictError, match="Lea Lead has already held this"):
        exposure.hold(firm.lead, firm.matter_id, [held])


def test_of_two_who_release_at_the_same_moment_one_succeeds(firm: Firm, app: Flask) -> None:
    held = [firm.add(is_held=True) for _ in range(3)]
    results: list[object] = []
    start = threading.Barrier(2)

    def release() -> None:
        with app.app_context():
            start.wait()
            try:
                results.append(exposure.release(firm.lead, firm.matter_id, held))
            except ConflictError as refusal:
                results.append(refusal.code)

    threads = [threading.Thread(target=release) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, results)) == ["3", "exposure.released"]


def test_a_release_is_of_what_its_names_said(firm: Firm) -> None:
    held = firm.add(is_held=True)
    asked = exposure.preview(firm.lead, firm.matter_id, "release", version_ids=[held])
    new = make_member("Ned", organisation="New", is_guest=True)
    participants.add(firm.lead, firm.matter_id, new.id, "viewer")
    with pytest.raises(ConflictError, match="guests who would see this have changed"):
        exposure.release(firm.lead, firm.matter_id, [held], asked.readers.key)
    participants.remove(firm.lead, firm.matter_id, new.id)
    assert exposure.release(firm.lead, firm.matter_id, [held], asked.readers.key) == 1


def test_who_may_hold_and_release(firm: Firm) -> None:
    held = firm.add(is_held=True)
    viewer = make_member("Vic Viewer")
    participants.add(firm.lead, firm.matter_id, viewer.id, "viewer")
    for change in (exposure.hold, exposure.release):
        with pytest.raises(ForbiddenError):
            change(actor_of(viewer), firm.matter_id, [held])
        with pytest.raises(NotFoundError):
            change(firm.bank, firm.matter_id, [held])
        with pytest.raises(NotFoundError):
            change(actor_of(make_member("Otto Outside")), firm.matter_id, [held])
    other = open_matter(firm.lead, "Another")
    with pytest.raises(NotFoundError):
        exposure.release(firm.lead, other, [held])


def test_a_document_for_one_organisation_is_nowhere_for_another(firm: Firm) -> None:
    bank = firm.organisation("Harbour Bank")
    assert audiences.change(firm.lead, firm.matter_id, [firm.document_id], "organisations", [bank]) == 1
    assert firm.numbers(firm.bank) == [1] and firm.numbers(firm.buyer) == []
    assert matters.find(firm.buyer, firm.matter_id).documents == 0
    with pytest.raises(NotFoundError):
        versions.require(firm.buyer, current_version(firm.document_id))
    assert (
        audiences.of_documents(firm.lead, [firm.document_id])[firm.document_id].label
        == "Members and Harbour Bank"
    )
    assert audiences.of_documents(firm.bank, [firm.document_id]) == {}
    audiences.change(firm.lead, firm.matter_id, [firm.document_id], "members")
    assert firm.numbers(firm.bank) == [] and firm.numbers(firm.lead) == [1]
    audiences.change(firm.lead, firm.matter_id, [firm.document_id], "everybody")
    assert firm.numbers(firm.bank) == firm.numbers(firm.buyer) == [1]
    events = session().query(AuditEvent).filter_by(action="document.audience_changed").order_by(AuditEvent.at)
    assert [(each.detail["before"], each.detail["after"]) for each in events] == [
        ("Everybody in the matter", "Members and Harbour Bank"),
        ("Members and Harbour Bank", "Members only"),
        ("Members only", "Everybody in the matter"),
    ]


def test_an_audience_names_organisations_of_the_matter_only(firm: Firm) -> None:
    stranger = make_member("Sue Stranger", organisation="Elsewhere", is_guest=True)
    for wanted in ([], [stranger.organisation_id], [uuid.uuid4()]):
        with pytest.raises(InvalidError):
            audiences.change(firm.lead, firm.matter_id, [firm.document_id], "organisations", wanted)
    with pytest.raises(InvalidError):
        audiences.change(firm.lead, firm.matter_id, [firm.document_id], "nobody")
    with pytest.raises(NotFoundError):
        audiences.change(firm.bank, firm.matter_id, [firm.document_id], "everybody")


def test_a_form_that_shows_an_old_audience_is_refused(firm: Firm) -> None:
    seen = audiences.EVERYBODY.key
    audiences.change(firm.lead, firm.matter_id, [firm.document_id], "members", seen=seen)
    with pytest.raises(ConflictError, match="Someone else has just changed"):
        audiences.change(firm.lead, firm.matter_id, [firm.document_id], "everybody", seen=seen)


def test_a_guest_who_moves_to_another_organisation_sees_what_that_one_does(firm: Firm, app: Flask) -> None:
    bank = firm.organisation("Harbour Bank")
    audiences.change(firm.lead, firm.matter_id, [firm.document_id], "organisations", [bank])
    colleague = make_member("Cy", organisation="HARBOUR bank", is_guest=True)
    assert colleague.organisation_id == bank
    participants.add(firm.lead, firm.matter_id, colleague.id, "viewer")
    assert firm.numbers(actor_of(colleague)) == [1]


def test_the_question_names_the_guests_and_is_asked_once_a_day(firm: Firm) -> None:
    asked = exposure.question(firm.lead, firm.matter_id)
    assert asked.is_due and asked.may_hold
    assert [(each.organisation, each.names) for each in asked.readers.groups] == [
        ("Harbour Bank", ("Gina Bank",)),
        ("Kestrel Ltd", ("Bo Buyer",)),
    ]
    key = asked.readers.key
    with pytest.raises(InvalidError, match="Choose who can see it"):
        exposure.decide(firm.lead, firm.matter_id, (), "", "")
    assert exposure.decide(firm.lead, firm.matter_id, (), "members", "")
    with pytest.raises(InvalidError, match="have changed"):
        exposure.decide(firm.lead, firm.matter_id, (), "guests", "other people")
    assert not exposure.decide(firm.lead, firm.matter_id, (), "guests", key)
    assert not exposure.question(firm.lead, firm.matter_id).is_due
    assert not exposure.decide(firm.lead, firm.matter_id, (), "", "")
    participants.add(
        firm.lead, firm.matter_id, make_member("Ned", organisation="New", is_guest=True).id, "viewer"
    )
    assert exposure.question(firm.lead, firm.matter_id).is_due
    assert session().query(AuditEvent).filter_by(action="exposure.confirmed").count() == 1


def test_the_question_about_a_version_names_those_whom_the_document_is_for(firm: Firm) -> None:
    audiences.change(
        firm.lead, firm.matter_id, [firm.document_id], "organisations", [firm.organisation("Kestrel Ltd")]
    )
    asked = exposure.question(firm.lead, firm.matter_id, [firm.document_id])
    assert asked.readers.listed() == ["Bo Buyer (Kestrel Ltd)"]
    audiences.change(firm.lead, firm.matter_id, [firm.document_id], "members")
    assert not exposure.question(firm.lead, firm.matter_id, [firm.document_id]).is_due
    assert not exposure.question(firm.bank, firm.matter_id).may_hold


def test_guests_cannot_find_out_names_or_bytes_of_what_they_do_not_see(firm: Firm) -> None:
    documents.add(firm.lead, firm.matter_id, "Draft.docx", io.BytesIO(b"draft"), is_held=True)
    firm.add(is_held=True, content=b"secret")
    mine = documents.add(firm.bank, firm.matter_id, "Draft.docx", io.BytesIO(b"mine"))
    assert documents.find(firm.bank, mine).name == "Draft.docx"
    added = versions.add(firm.bank, firm.document_id, "Lease.docx", io.BytesIO(b"secret"), "")
    assert isinstance(added, versions.Added)
    with pytest.raises(InvalidError):
        documents.add(firm.bank, firm.matter_id, "draft.DOCX", io.BytesIO(b"again"))


def test_an_older_version_that_is_shared_makes_a_held_document_exist(firm: Firm) -> None:
    draft = documents.add(firm.lead, firm.matter_id, "Draft.docx", io.BytesIO(b"1"), is_held=True)
    versions.add(firm.lead, draft, "Draft.docx", io.BytesIO(b"2"), "")
    assert session().get_one(Document, draft, populate_existing=True).guest_version_id == current_version(
        draft
    )
    assert [row.number for row in versions.history(firm.bank, draft).rows] == [2]


def test_guests_who_moved_to_another_organisation_are_asked_about_again(firm: Firm) -> None:
    key = exposure.question(firm.lead, firm.matter_id).readers.key
    exposure.decide(firm.lead, firm.matter_id, (), "guests", key)
    admin, bank = actor_of(make_member(is_admin=True)), firm.people["bank"]
    editing.change(admin, bank.id, Details(bank.name, bank.email, "Kestrel Ltd", is_guest=True))
    asked = exposure.question(firm.lead, firm.matter_id)
    assert asked.is_due and asked.readers.key != key


def test_more_versions_than_a_form_takes_are_all_held(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposure, "MOST", 2)
    ids = [current_version(firm.document_id), firm.add(), firm.add()]
    assert exposure.hold(firm.lead, firm.matter_id, ids) == 3
    assert firm.numbers(firm.bank) == []


# On the pages


def test_a_member_holds_and_releases_on_the_page(firm: Firm, app: Flask) -> None:
    lead, guest = Browser(app).sign_in(firm.people["lead"]), Browser(app).sign_in(firm.people["bank"])
    held = firm.add(is_held=True)
    page = lead.page(f"/matters/{firm.matter_id}")
    assert "Held" in page.text
    assert "Held" not in guest.page(f"/matters/{firm.matter_id}").text
    asked = lead.page(f"/matters/{firm.matter_id}/release?document={firm.document_id}", htmx=True)
    assert "These guests will see it: Harbour Bank : Gina Bank Kestrel Ltd : Bo Buyer" in asked.text
    assert lead.post(f"/matters/{firm.matter_id}/release", {"version": str(held)}).status_code == 303
    shown = lead.page(f"/documents/{firm.document_id}")
    assert "Released by Lea Lead" in shown.text and "1 version released." in shown.text
    assert "Released" not in guest.page(f"/documents/{firm.document_id}").text
    asked = lead.page(f"/matters/{firm.matter_id}/hold?version={held}", htmx=True)
    assert "They keep what they have already downloaded" in asked.text
    assert "Guests will see version 1 as the current one." in asked.text


def test_the_upload_form_asks_and_holds(firm: Firm, app: Flask) -> None:
    lead = Browser(app).sign_in(firm.people["lead"])
    url = f"/matters/{firm.matter_id}/documents/new"
    form = lead.page(url, htmx=True)
    assert "Harbour Bank : Gina Bank" in form.text and "Hold for members" in form.text
    refused = read(lead.post(url, {"file": (io.BytesIO(b"1"), "New.docx")}), whole=True)
    assert "Choose who can see it." in refused.text
    data = {"exposure": "members", "file": (io.BytesIO(b"1"), "New.docx")}
    assert lead.post(url, data).status_code == 303
    assert [row.name for row in documents.of_matter(firm.bank, firm.matter_id).rows] == ["Lease.docx"]
    data = {
        "exposure": "guests",
        "readers": form.value_of("readers"),
        "file": (io.BytesIO(b"2"), "Shown.docx"),
    }
    assert lead.post(url, data).status_code == 303
    assert "Shown.docx" in [row.name for row in documents.of_matter(firm.bank, firm.matter_id).rows]
    assert lead.post(url, {"file": (io.BytesIO(b"3"), "Again.docx")}).status_code == 303


def test_who_can_see_this_is_changed_on_the_page(firm: Firm, app: Flask) -> None:
    lead, buyer = Browser(app).sign_in(firm.people["lead"]), Browser(app).sign_in(firm.people["buyer"])
    url = f"/matters/{firm.matter_id}/audience?document={firm.document_id}"
    form = lead.page(url, htmx=True)
    assert "Harbour Bank" in form.text and "Gina Bank" in form.text
    refused = lead.post(url, {"kind": "organisations", "seen": form.value_of("seen")})
    assert refused.status_code == 422
    chosen = {
        "kind": "organisations",
        "seen": "everybody",
        "organisation": str(firm.organisation("Harbour Bank")),
    }
    assert lead.post(url, chosen).status_code == 303
    assert "Who can see this: Members and Harbour Bank" in lead.page(f"/documents/{firm.document_id}").text
    assert buyer.get(f"/documents/{firm.document_id}").status_code == 404
    assert buyer.get(f"/versions/{current_version(firm.document_id)}/download").status_code == 404
