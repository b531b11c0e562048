"""Getting from and saving to servers that differ from the usual one in checksums, ids, fields and refusals."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from imanage.client import Client
from imanage.ids import VersionId
from models import AuditEvent, ServerFact
from services.connections import tokens
from services.core.unit_of_work import session, unit_of_work
from services.execution import checksums
from services.servers import server_facts
from simulator import Fault
from simulator.contents import as_content
from tests.support.people import actor_of, make_member
from tests.support.transfers import (
    Desk,
    add_version,
    carry,
    carry_all,
    drafts_id,
    get,
    got_document,
    items_of,
    save,
    sha256,
    stored,
    versions,
)

SPA = "SPA – Project Heron"


@pytest.fixture(autouse=True)
def not_sampled() -> Iterator[None]:
    checksums._sampled.clear()
    yield
    checksums._sampled.clear()


def content() -> bytes:
    return f"A counterpart of the agreement {uuid.uuid4()}.\n".encode() * 400


def checksum_fact() -> ServerFact | None:
    session().rollback()
    return session().scalar(select(ServerFact).where(ServerFact.fact == "checksum"))


def learned() -> list[AuditEvent]:
    session().rollback()
    return list(session().scalars(select(AuditEvent).where(AuditEvent.action == "server.fact_learned")))


# -- checksums ---------------------------------------------------------------------------------------------


def test_a_checksum_of_another_meaning_is_learned_told_and_no_longer_compared(desk: Desk) -> None:
    document_id, twin = got_document(desk)
    desk.practice.settings.update({"checksum": "other_bytes"})
    add_version(desk, document_id, content())
    (item,) = carry_all(save(desk, document_id, "new_version", twin))
    assert item.state == "done", item.error_sentence
    fact = checksum_fact()
    assert fact is not None
    assert (fact.value, fact.source) == ("other", "measured")
    (event,) = learned()
    assert event.detail["fact"] == "Checksum in profiles"
    admin = make_member(is_admin=True)
    rows = {
        row.name: row
        for _, group in server_facts.page(actor_of(admin), desk.server.id).groups
        for row in group
    }
    assert rows["checksum"].note.startswith("Found in use")
    desk.practice.forget_requests()
    other = desk.practice.world.named("Tax deed")
    (item,) = carry_all(get(desk, other.id()))
    assert item.state == "done"
    assert sum(call.path.endswith("/download") for call in desk.practice.requests) == 1


@pytest.mark.parametrize("target", ["new_document", "new_version", "replace"])
def test_a_save_is_proved_by_its_bytes_where_the_checksum_means_something_else(
    desk: Desk, target: str
) -> None:
    document_id, twin = got_document(desk)
    desk.practice.settings.update({"checksum": "other_bytes"})
    ours = content()
    add_version(desk, document_id, ours)
    place = drafts_id(desk) if target == "new_document" else twin
    (item,) = carry_all(save(desk, document_id, target, place))
    assert item.state == "done", item.error_sentence
    assert stored(desk, "Drafts").count(sha256(ours)) == 1
    assert len(learned()) == 1


def test_what_was_left_out_is_said_also_where_the_checksum_means_something_else(desk: Desk) -> None:
    desk.practice.settings.update({"checksum": "other_bytes", "fields_refused": ("comment",)})
    document_id = desk.add_document("Side letter.docx", content())
    (item,) = carry_all(save(desk, document_id, "new_document", drafts_id(desk)))
    assert item.state == "done", item.error_sentence
    assert any(warning.startswith("comment: left out") for warning in item.warnings or ())
    assert len(learned()) == 1


def test_a_get_teaches_nothing(desk: Desk) -> None:
    """Bytes may be changed on the way, in every document."""
    desk.practice.settings.update({"checksum": "other_bytes"})
    (item,) = carry_all(get(desk, desk.practice.world.named(SPA).id()))
    assert item.error_code == "transfer.different"
    assert versions() == [] and learned() == [] and checksum_fact() is None


def test_one_damaged_document_says_nothing_about_the_server(desk: Desk) -> None:
    spa = desk.practice.world.named(SPA)
    desk.practice.faults.add(Fault("corrupt", path=f"{spa.id()}/download", times=None))
    (item_id,) = (item.id for item in items_of(get(desk, spa.id())))
    item = carry(item_id)
    assert item.error_code == "transfer.different"
    assert versions() == [] and learned() == []
    desk.practice.forget_requests()
    with unit_of_work() as writing:
        writing.merge(item).wait_until = None
    carry(item_id)
    assert {call.path.rpartition("/")[2] for call in desk.practice.requests} == {spa.id(), "download"}


def test_a_second_document_as_listed_teaches_nothing_and_is_not_read_again_soon(desk: Desk) -> None:
    _, twin = got_document(desk)
    (version,) = versions()

    def learn(client: Client) -> bool:
        desk.practice.forget_requests()
        return checksums.is_ours_under_another_checksum(
            client, desk.server.id, VersionId.parse(twin), version.sha256, version.size
        )

    for downloads in (2, 0):
        assert not tokens.with_client(desk.actor.id, desk.server.id, learn)
        assert sum(call.path.endswith("/download") for call in desk.practice.requests) == downloads
    assert learned() == [] and checksum_fact() is None


def test_a_size_that_differs_is_not_made_up_for(desk: Desk) -> None:
    desk.practice.settings.update({"checksum": "other_bytes", "size_off": 7})
    (item,) = carry_all(get(desk, desk.practice.world.named(SPA).id()))
    assert item.error_code == "transfer.different"
    assert versions() == [] and learned() == []


def test_what_an_admin_told_stays(desk: Desk) -> None:
    document_id, twin = got_document(desk)
    admin = actor_of(make_member(is_admin=True))
    server_facts.tell(admin, desk.server.id, "checksum", "sha256")
    desk.practice.settings.update({"checksum": "other_bytes"})
    add_version(desk, document_id, content())
    (item,) = carry_all(save(desk, document_id, "new_version", twin))
    assert item.state != "done"
    fact = checksum_fact()
    assert fact is not None and (fact.value, fact.source) == ("sha256", "told")
    assert fact.note


@pytest.mark.parametrize("dial", ["md5", "lower_case", "absent"])
def test_other_ways_to_write_a_checksum(desk: Desk, dial: str) -> None:
    desk.practice.settings.update({"checksum": dial})
    document_id, twin = got_document(desk)
    ours = content()
    add_version(desk, document_id, ours)
    (item,) = carry_all(save(desk, document_id, "new_version", twin))
    assert item.state == "done", item.error_sentence
    assert learned() == []


# -- ids ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["new_version", "replace"])
def test_every_call_about_a_version_has_it_in_the_id(desk: Desk, target: str) -> None:
    desk.practice.settings.update({"version_ids": "required"})
    document_id, twin = got_document(desk)
    ours = content()
    add_version(desk, document_id, ours)
    (item,) = carry_all(save(desk, document_id, target, twin))
    assert item.state == "done", item.error_sentence
    assert stored(desk, "Drafts").count(sha256(ours)) == 1
    number = twin.partition(".")[0]
    assert not [call.path for call in desk.practice.requests if f"{number}/" in f"{call.path}/"]


# -- refusals ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fields", [("comment",), ("checksum", "size"), ("type",)])
@pytest.mark.parametrize("target", ["new_document", "new_version"])
def test_a_field_that_is_refused_is_left_out_and_said(
    desk: Desk, target: str, fields: tuple[str, ...]
) -> None:
    document_id, twin = got_document(desk)
    dial = "fields_refused" if target == "new_document" else "version_fields_refused"
    desk.practice.settings.update({dial: fields[:1]})
    ours = content()
    add_version(desk, document_id, ours)
    place = drafts_id(desk) if target == "new_document" else twin
    (item,) = carry_all(save(desk, document_id, target, place))
    assert item.state == "done", item.error_sentence
    assert stored(desk, "Drafts").count(sha256(ours)) == 1
    assert any(warning.startswith(f"{fields[0]}: left out") for warning in item.warnings or ())


@pytest.mark.parametrize("status", [400, 403, 409, 423])
@pytest.mark.parametrize("codes", ["named", "generic", "absent"])
def test_a_document_checked_out_meanwhile_is_told_by_code_or_words(
    desk: Desk, codes: str, status: int
) -> None:
    document_id, twin = got_document(desk)
    add_version(desk, document_id, content())
    desk.practice.settings.update({"error_codes": codes})
    said = "The document is checked out by BRAM"
    code = "NRC_IN_USE" if codes == "named" else "NRC_FAILURE"
    desk.practice.faults.add(
        Fault("status", method="POST", path="/versions$", status=status, code=code, message=said, times=None)
    )
    (item,) = carry_all(save(desk, document_id, "new_version", twin))
    assert item.state == "failed"
    assert "Someone has this document checked out in iManage." in item.error_sentence
    assert f"iManage says: “{said}”" in item.error_sentence


def test_a_conflict_about_a_new_document_is_not_about_a_check_out(desk: Desk) -> None:
    desk.practice.faults.add(
        Fault(
            "status",
            method="POST",
            path="/documents$",
            status=409,
            code="NRC_DUPLICATE",
            message="No",
            times=None,
        )
    )
    document_id = desk.add_document("Side letter.docx", content())
    (item,) = carry_all(save(desk, document_id, "new_document", drafts_id(desk)))
    assert item.state == "failed"
    assert "did not accept the new document because of something already there" in item.error_sentence
    assert "check" not in f"{item.error_sentence} {item.next_step}"


def test_all_messages_of_a_refusal_reach_the_member(desk: Desk) -> None:
    body = {
        "error": {
            "code": "NRC_FAILURE",
            "code_message": "The document was not stored.",
            "messages": [{"code": "NRC_W", "code_message": "A <b>wall</b> forbids it."}],
        }
    }
    desk.practice.faults.add(
        Fault("status", method="POST", path="/documents$", status=400, body=body, times=None)
    )
    document_id = desk.add_document("Side letter.docx", content())
    (item,) = carry_all(save(desk, document_id, "new_document", drafts_id(desk)))
    page = desk.browser.page(f"/transfers/{item.transfer_id}")
    assert (
        "iManage says: “The document was not stored.; A <b>wall</b> forbids it.” (NRC_FAILURE)." in page.text
    )
    assert "<b>wall" not in page.html


@pytest.mark.parametrize("dial", ["401", "403", "redirect", "page"])
def test_a_session_that_ends_during_a_transfer_is_renewed_or_asked_for(desk: Desk, dial: str) -> None:
    document_id, _twin = got_document(desk)
    desk.practice.settings.update({"ended_sessions": dial})
    desk.practice.expire_tokens()
    ours = content()
    add_version(desk, document_id, ours)
    (item,) = carry_all(save(desk, document_id, "new_document", drafts_id(desk)))
    assert item.state == "done", item.error_sentence
    assert stored(desk, "Drafts").count(sha256(ours)) == 1
    desk.practice.revoke()
    (item,) = carry_all(get(desk, desk.practice.world.named("Tax deed").id()))
    assert item.state == "needs_sign_in"


def test_replaced_bytes_are_still_noticed_after_the_checksum_is_no_proof(desk: Desk) -> None:
    """Size and our own hash remain: other bytes make another version here."""
    server_facts.tell(actor_of(make_member(is_admin=True)), desk.server.id, "checksum", "other")
    desk.practice.settings.update({"checksum": "other_bytes"})
    made = desk.practice.world.add_document(
        desk.practice.world.folder("Drafts", "Active"), f"Deed {uuid.uuid4().hex}", "docx", b"first", "ALICE"
    )
    made = desk.practice.world.add_version(made, b"second one")
    carry_all(get(desk, made.id()))
    last = replace(made.latest, content=as_content(b"secont one"))
    desk.practice.world.put_document(replace(made, versions=(*made.versions[:-1], last)))
    carry_all(get(desk, made.id()))
    assert [version.sha256 for version in versions()] == [sha256(b"second one"), sha256(b"secont one")]
