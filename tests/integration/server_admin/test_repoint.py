"""Re-pointing a server: links move whole or not at all, and back for 30 days unless they were used since."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, insert, select, update

from models import (
    AuditEvent,
    Connection,
    Document,
    Group,
    Link,
    Member,
    Repoint,
    RepointedLink,
    Server,
    ServerGroup,
    ServerMember,
    Transfer,
    Version,
    new_id,
    utcnow,
)
from services.core.actor import Actor
from services.core.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from services.core.unit_of_work import session, unit_of_work
from services.server_admin import repoint, repoint_links, repoint_preview
from services.server_admin.repoint_preview import PreviewCommand
from services.servers import registry, removal
from services.transfers import links
from services.transfers.twin_states import TwinState
from tests.support.concurrency import at_once
from tests.support.matters import add_document, counted_queries, current_version, open_matter
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member
from tests.support.servers import connect, make_running_transfer, make_server

PAGE = "/admin/integrations/imanage"
LIBRARIES = {"active": "Legal", "knowledge": "Know-how"}


class Firm:
    """An old and a new server, and a matter with linked documents."""

    def __init__(self, ada: Member) -> None:
        self.admin = actor_of(ada)
        self.old_id = make_server("Old DMS", is_enabled=True).id
        self.new_id = make_server("New DMS", is_enabled=True).id
        self.lead = actor_of(make_member("Alice Archer"))
        self.matter_id = open_matter(self.lead)

    def link(self, number: int, library: str = "Active", server_id: uuid.UUID | None = None) -> uuid.UUID:
        """A new document, linked to version 2 of this number; the document's id."""
        kind = "Document" if library == "Active" else library
        document_id = add_document(self.lead, self.matter_id, f"{kind} {number}.docx")
        self.link_again(document_id, number, library, server_id or self.old_id)
        return document_id

    def link_again(self, document_id: uuid.UUID, number: int, library: str, server_id: uuid.UUID) -> None:
        url = session().get_one(Server, server_id).url
        with unit_of_work() as writing:
            writing.add(
                Link(
                    server_id=server_id,
                    document_id=document_id,
                    version_id=current_version(document_id),
                    direction="got",
                    library=library,
                    library_key=library.casefold(),
                    number=number,
                    version=2,
                    name=f"Document {number}.docx",
                    checksum="0" * 64,
                    url=f"{url}/work/link/d/{library}!{number}.2",
                    member_id=self.lead.id,
                    latest_version=2,
                )
            )

    def previewed(
        self, *outcomes: str, libraries: dict[str, str] = LIBRARIES, copies: bool = False
    ) -> uuid.UUID:
        """A preview as it is stored once its samples showed these outcomes."""
        where = repoint_links.movable(self.old_id, self.new_id, libraries)
        with unit_of_work() as writing:
            row = Repoint(
                id=new_id(),
                source_id=self.old_id,
                target_id=self.new_id,
                libraries=libraries,
                samples=[{"id": "Legal!1.2", "outcome": each} for each in outcomes or ("agrees",)],
                link_count=session().scalar(select(func.count()).select_from(Link).where(where)) or 0,
                copies_restriction=copies,
                previewed_by=self.admin.name,
            )
            writing.add(row)
        return row.id

    def move(self, *, copies: bool = False) -> uuid.UUID:
        repoint_id = self.previewed(copies=copies)
        repoint.confirm(self.admin, self.old_id, repoint_id)
        return repoint_id

    def of(self, document_id: uuid.UUID) -> list[tuple[str, str]]:
        """The links of a document: server and id there."""
        session().rollback()
        rows = session().execute(
            select(Server.name, Link.library, Link.number, Link.version)
            .join(Server, Server.id == Link.server_id)
            .where(Link.document_id == document_id)
            .order_by(Link.created_at, Link.id)
        )
        return [(name, f"{library}!{number}.{version}") for name, library, number, version in rows]

    def server(self, server_id: uuid.UUID) -> Server:
        session().rollback()
        return session().get_one(Server, server_id)


@pytest.fixture
def firm(ada: Member) -> Firm:
    return Firm(ada)


def events(action: str) -> list[AuditEvent]:
    session().rollback()
    return list(session().scalars(select(AuditEvent).where(AuditEvent.action == action)))


def test_links_move_in_one_audited_act(firm: Firm) -> None:
    lease, precedent = firm.link(104512), firm.link(2001, "Knowledge")
    repoint_id = firm.previewed()
    moved = repoint.confirm(firm.admin, firm.old_id, repoint_id)
    assert (moved.links, moved.kept, moved.target) == (2, 0, "New DMS")
    assert firm.of(lease) == [("New DMS", "Legal!104512.2")]
    assert firm.of(precedent) == [("New DMS", "Know-how!2001.2")]
    row = session().scalars(select(Link).where(Link.document_id == precedent)).one()
    assert row.library_key == "know-how"
    assert row.url == f"{firm.server(firm.new_id).url}/work/link/d/Know-how!2001.2"
    assert not firm.server(firm.old_id).is_enabled
    assert firm.server(firm.new_id).is_enabled
    (event,) = events("server.repointed")
    assert event.actor_id == firm.admin.id and event.server_id == firm.old_id
    assert event.detail["links"] == 2 and event.detail["to"] == "New DMS"
    assert events("server.disabled") == []


def test_states_are_not_checked_until_the_next_check(firm: Firm) -> None:
    changed_here = firm.link(104512)
    same = firm.link(104513)
    with unit_of_work() as writing:  # a version here that is not in iManage: Changed here, whatever its age
        document = writing.get_one(Document, changed_here)
        version = Version(
            document_id=changed_here,
            number=2,
            sha256="1" * 64,
            size=1,
            file_name="Lease.docx",
            origin="upload",
            created_by_id=firm.lead.id,
        )
        writing.add(version)
        writing.flush()
        document.current_version_id = version.id
    firm.move()
    for document_id in (changed_here, same):
        (status,) = links.for_documents(firm.lead, [document_id])[document_id]
        assert status.state == TwinState.NOT_CHECKED
        assert status.twin.server_id == firm.new_id
        assert "has not been checked since its link moved" in status.sentence


def test_a_library_left_out_stays(firm: Firm) -> None:
    lease, precedent = firm.link(104512), firm.link(2001, "Knowledge")
    repoint_id = firm.previewed(libraries={"active": "Legal"})
    assert repoint.preview(firm.admin, firm.old_id, repoint_id).staying == 1
    assert repoint.confirm(firm.admin, firm.old_id, repoint_id).links == 1
    assert firm.of(lease) == [("New DMS", "Legal!104512.2")]
    assert firm.of(precedent) == [("Old DMS", "Knowledge!2001.2")]


def test_libraries_may_swap_their_names(firm: Firm) -> None:
    lease, precedent = firm.link(5), firm.link(5, "Knowledge")
    repoint_id = firm.previewed(libraries={"active": "Knowledge", "knowledge": "Active"})
    repoint.confirm(firm.admin, firm.old_id, repoint_id)
    assert firm.of(lease) == [("New DMS", "Knowledge!5.2")]
    assert firm.of(precedent) == [("New DMS", "Active!5.2")]


def test_a_document_linked_on_both_is_named_and_kept(firm: Firm) -> None:
    lease, both = firm.link(104512), firm.link(104513)
    firm.link_again(both, 9001, "Legal", firm.new_id)
    repoint_id = firm.previewed()
    seen = repoint.preview(firm.admin, firm.old_id, repoint_id)
    assert seen.conflicts.names == ("Document 104513.docx in “Project Heron”",)
    assert (seen.links, seen.staying) == (1, 1)
    assert repoint.confirm(firm.admin, firm.old_id, repoint_id).kept == 1
    assert firm.of(lease) == [("New DMS", "Legal!104512.2")]
    assert firm.of(both) == [("Old DMS", "Active!104513.2"), ("New DMS", "Legal!9001.2")]
    assert events("server.repointed")[0].detail["kept_documents"] == list(seen.conflicts.names)


@pytest.mark.parametrize("side", ["old", "new"])
def test_a_transfer_under_way_prevents_it(firm: Firm, side: str) -> None:
    lease = firm.link(104512)
    repoint_id = firm.previewed()
    server = session().get_one(Server, firm.old_id if side == "old" else firm.new_id)
    transfer_id = make_running_transfer(server, session().get_one(Member, firm.lead.id)).id
    seen = repoint.preview(firm.admin, firm.old_id, repoint_id)
    assert seen.running_count == 1 and not seen.is_ready
    with pytest.raises(ConflictError, match="1 transfer of these servers has not ended"):
        repoint.confirm(firm.admin, firm.old_id, repoint_id)
    assert firm.of(lease) == [("Old DMS", "Active!104512.2")]
    assert firm.server(firm.old_id).is_enabled
    with unit_of_work() as writing:
        writing.get_one(Transfer, transfer_id).finished_at = utcnow()
    assert repoint.confirm(firm.admin, firm.old_id, repoint_id).links == 1


@pytest.mark.parametrize("outcome", ["differs", "missing"])
def test_samples_that_differ_ask_for_the_name(firm: Firm, outcome: str) -> None:
    firm.link(104512)
    repoint_id = firm.previewed("agrees", outcome)
    assert repoint.preview(firm.admin, firm.old_id, repoint_id).asks_for_name
    with pytest.raises(InvalidError) as refused:
        repoint.confirm(firm.admin, firm.old_id, repoint_id, "Old DMS")
    assert "typed_name" in refused.value.fields
    assert repoint.confirm(firm.admin, firm.old_id, repoint_id, " New  DMS ").links == 1


def test_what_changed_since_the_preview_asks_for_a_new_one(firm: Firm) -> None:
    firm.link(104512)
    repoint_id = firm.previewed()
    later = firm.link(104513)
    with pytest.raises(ConflictError, match="changed since the preview"):
        repoint.confirm(firm.admin, firm.old_id, repoint_id)
    assert firm.of(later) == [("Old DMS", "Active!104513.2")]
    assert session().scalar(select(func.count()).select_from(RepointedLink)) == 0
    repoint_id = firm.previewed()
    with unit_of_work() as writing:
        writing.get_one(Repoint, repoint_id).previewed_at = utcnow() - timedelta(hours=2)
    assert repoint.preview(firm.admin, firm.old_id, repoint_id).is_expired
    with pytest.raises(ConflictError, match="more than an hour old"):
        repoint.confirm(firm.admin, firm.old_id, repoint_id)


def test_the_new_server_must_be_on(firm: Firm) -> None:
    firm.link(104512)
    repoint_id = firm.previewed()
    registry.set_enabled(firm.admin, firm.new_id, False)
    with pytest.raises(ConflictError, match="switched off"):
        repoint.confirm(firm.admin, firm.old_id, repoint_id)


def test_the_list_is_copied_on_wish(firm: Firm) -> None:
    firm.link(104512)
    listed, other = make_member("Lena Ford"), make_member("Una Blake")
    listed_id, other_id = listed.id, other.id
    connect(session().get_one(Server, firm.new_id), session().get_one(Member, other_id))
    with unit_of_work() as writing:
        group = Group(name="Deal team", name_key="deal team")
        writing.add(group)
        writing.flush()
        writing.get_one(Server, firm.old_id).is_restricted = True
        writing.add_all(
            ServerMember(server_id=each, member_id=listed_id) for each in (firm.old_id, firm.new_id)
        )
        writing.add(ServerGroup(server_id=firm.old_id, group_id=group.id))
    firm.move(copies=True)
    assert firm.server(firm.new_id).is_restricted
    assert session().scalars(
        select(ServerMember.member_id).where(ServerMember.server_id == firm.new_id)
    ).all() == [listed_id]
    assert session().scalar(select(func.count()).where(ServerGroup.server_id == firm.new_id)) == 1
    assert session().scalar(select(func.count()).where(Connection.member_id == other_id)) == 0


def test_undo_brings_back_what_was(firm: Firm) -> None:
    lease = firm.link(104512)
    url = session().scalars(select(Link.url)).one()
    repoint_id = firm.move()
    assert repoint.undo_preview(firm.admin, firm.old_id, repoint_id).returning == 1
    undone = repoint.undo(firm.admin, firm.old_id, repoint_id)
    assert (undone.links, undone.kept) == (1, 0)
    assert firm.of(lease) == [("Old DMS", "Active!104512.2")]
    assert session().scalars(select(Link.url)).one() == url
    assert firm.server(firm.old_id).is_enabled
    assert len(events("server.repoint_undone")) == 1
    assert repoint.latest(firm.admin, firm.old_id) is None
    with pytest.raises(ConflictError, match="no longer be undone"):
        repoint.undo(firm.admin, firm.old_id, repoint_id)


def test_undo_keeps_and_names_what_was_used_since(firm: Firm) -> None:
    lease, saved, ended, gone_back, checked = (firm.link(number) for number in range(1, 6))
    repoint_id = firm.move()
    firm.link_again(saved, 2, "Legal", firm.new_id)  # saved to its twin since
    firm.link_again(gone_back, 9, "Active", firm.old_id)  # linked on the old server since
    with unit_of_work() as writing:
        writing.execute(update(Link).where(Link.document_id == ended).values(ended_at=utcnow()))
        writing.execute(
            update(Link).where(Link.document_id == checked).values(state="lost", checked_at=utcnow())
        )
    seen = repoint.undo_preview(firm.admin, firm.old_id, repoint_id)
    assert seen.returning == 2
    assert seen.kept.names == tuple(f"Document {number}.docx in “Project Heron”" for number in (2, 3, 4))
    undone = repoint.undo(firm.admin, firm.old_id, repoint_id)
    assert (undone.links, undone.kept) == (2, 3)
    assert firm.of(lease) == [("Old DMS", "Active!1.2")]
    assert firm.of(checked) == [("Old DMS", "Active!5.2")]
    assert firm.of(saved) == [("New DMS", "Legal!2.2")] * 2
    assert firm.of(ended) == [("New DMS", "Legal!3.2")]
    assert firm.of(gone_back) == [("New DMS", "Legal!4.2"), ("Old DMS", "Active!9.2")]


def test_undo_waits_for_transfers(firm: Firm) -> None:
    firm.link(104512)
    repoint_id = firm.move()
    make_running_transfer(firm.server(firm.new_id), session().get_one(Member, firm.lead.id))
    assert repoint.undo_preview(firm.admin, firm.old_id, repoint_id).running_count == 1
    with pytest.raises(ConflictError, match="has not ended"):
        repoint.undo(firm.admin, firm.old_id, repoint_id)


def test_undo_is_over_after_30_days(firm: Firm, ada_browser: Browser) -> None:
    firm.link(104512)
    repoint_id = firm.move()
    assert "Re-pointed to New DMS" in ada_browser.page(f"{PAGE}/{firm.old_id}").text
    with unit_of_work() as writing:
        writing.get_one(Repoint, repoint_id).moved_at = utcnow() - timedelta(days=31)
    assert "Re-pointed to New DMS" not in ada_browser.page(f"{PAGE}/{firm.old_id}").text
    with pytest.raises(ConflictError, match="no longer be undone"):
        repoint.undo(firm.admin, firm.old_id, repoint_id)
    repoint.prune()
    assert session().scalar(select(func.count()).select_from(RepointedLink)) == 0


@pytest.mark.parametrize("which", ["old_id", "new_id"])
def test_removing_either_server_ends_the_undo(firm: Firm, which: str) -> None:
    lease = firm.link(104512)
    repoint_id = firm.move()
    server = firm.server(getattr(firm, which))
    removal.remove(firm.admin, server.id, server.name)
    with pytest.raises(NotFoundError):
        repoint.undo(firm.admin, firm.old_id, repoint_id)
    assert firm.of(lease) == ([("New DMS", "Legal!104512.2")] if which == "old_id" else [])


def test_links_may_move_on_and_each_undo_takes_its_own(firm: Firm) -> None:
    lease = firm.link(104512)
    first = firm.move()
    old_id, new_id = firm.old_id, firm.new_id
    third_id = make_server("Third DMS", is_enabled=True).id
    firm.old_id, firm.new_id = new_id, third_id
    repoint_id = firm.previewed(libraries={"legal": "Cloud"})
    repoint.confirm(firm.admin, new_id, repoint_id)
    assert repoint.undo_preview(firm.admin, old_id, first).returning == 0
    repoint.undo(firm.admin, new_id, repoint_id)
    assert firm.of(lease) == [("New DMS", "Legal!104512.2")]
    repoint.undo(firm.admin, old_id, first)
    assert firm.of(lease) == [("Old DMS", "Active!104512.2")]


@pytest.mark.parametrize("act", ["confirm", "undo", "both ways"])
def test_of_two_admins_one_acts(app: Flask, firm: Firm, act: str) -> None:
    lease = firm.link(104512)
    repoint_id = firm.previewed() if act != "undo" else firm.move()
    if act == "both ways":  # each locks both servers: neither may wait for the other
        firm.old_id, firm.new_id = firm.new_id, firm.old_id
        other = firm.previewed(libraries={"legal": "Active"})
        firm.old_id, firm.new_id = firm.new_id, firm.old_id
        acts: list[Callable[[], object]] = [
            lambda: repoint.confirm(firm.admin, firm.old_id, repoint_id),
            lambda: repoint.confirm(firm.admin, firm.new_id, other),
        ]
    else:
        do = repoint.confirm if act == "confirm" else repoint.undo
        acts = [lambda: do(firm.admin, firm.old_id, repoint_id)] * 2
    outcomes = at_once(app, *acts)
    moved = [each for each in outcomes if isinstance(each, repoint.Moved)]
    refused = [each for each in outcomes if isinstance(each, ConflictError)]
    assert len(moved) == 1 and len(refused) == 1, outcomes
    assert len(firm.of(lease)) == 1


def test_the_number_of_statements_does_not_grow(firm: Firm) -> None:
    document_id = firm.link(1)
    version_id = current_version(document_id)
    with unit_of_work() as writing:
        writing.execute(
            insert(Link),
            [
                {
                    "id": new_id(),
                    "server_id": firm.old_id,
                    "document_id": document_id,
                    "version_id": version_id,
                    "direction": "got",
                    "library": "Active",
                    "library_key": "active",
                    "number": number,
                    "version": 2,
                    "name": "Lease.docx",
                    "url": "https://old.firm.test/",
                    "member_id": firm.lead.id,
                    "latest_version": 2,
                }
                for number in range(2, 10_001)
            ],
        )
    repoint_id = firm.previewed(libraries={"active": "Legal"})
    with counted_queries() as asked:
        assert repoint.confirm(firm.admin, firm.old_id, repoint_id).links == 10_000
    assert len(asked) < 25, asked
    with counted_queries() as asked:
        assert repoint.undo(firm.admin, firm.old_id, repoint_id).links == 10_000
    assert len(asked) < 25, asked


def test_only_admins(firm: Firm) -> None:
    firm.link(104512)
    repoint_id = firm.previewed()
    for call in (
        lambda who: repoint.preview(who, firm.old_id, repoint_id),
        lambda who: repoint.confirm(who, firm.old_id, repoint_id),
        lambda who: repoint.latest(who, firm.old_id),
        lambda who: repoint.undo(who, firm.old_id, repoint_id),
        lambda who: repoint.undo_preview(who, firm.old_id, repoint_id),
        lambda who: repoint_preview.targets(who, firm.old_id),
        lambda who: repoint_preview.plan(who, firm.old_id, firm.new_id),
        lambda who: repoint_preview.start(who, firm.old_id, PreviewCommand(firm.new_id, LIBRARIES)),
    ):
        with pytest.raises(ForbiddenError):
            call(firm.lead)
    assert isinstance(firm.lead, Actor)


def test_practice_servers_take_no_part(firm: Firm, ada_browser: Browser) -> None:
    practice_id = make_server("Practice iManage", is_practice=True).id
    names = [name for _, name in repoint_preview.targets(firm.admin, firm.old_id)]
    assert names == ["New DMS"]
    assert f"{practice_id}/re-point" not in ada_browser.page(f"{PAGE}/{practice_id}").html
    assert ada_browser.get(f"{PAGE}/{practice_id}/re-point").status_code == 409
    for source_id, target_id in ((firm.old_id, practice_id), (practice_id, firm.old_id), (firm.old_id,) * 2):
        with pytest.raises(ConflictError):
            repoint_preview.start(firm.admin, source_id, PreviewCommand(target_id, LIBRARIES))


def test_each_library_needs_one_of_its_own(firm: Firm) -> None:
    firm.link(5)
    firm.link(5, "Knowledge")
    for libraries in ({"active": "Legal", "knowledge": "LEGAL"}, {"active": ""}, {}, {"unknown": "Legal"}):
        with pytest.raises(InvalidError):
            repoint_preview.start(firm.admin, firm.old_id, PreviewCommand(firm.new_id, libraries))


def test_the_pages_say_what_is_needed_first(firm: Firm, ada_browser: Browser) -> None:
    page = ada_browser.page(f"{PAGE}/{firm.old_id}/re-point")
    assert "Move the links to" in page.text
    with_target = f"{PAGE}/{firm.old_id}/re-point?to={firm.new_id}"
    assert "sign-in" in ada_browser.page(with_target).text
    registry.set_enabled(firm.admin, firm.new_id, False)
    assert "You cannot use “New DMS” yet" in ada_browser.page(with_target).text
    removal.remove(firm.admin, firm.new_id, "New DMS")
    assert "No other server yet" in ada_browser.page(f"{PAGE}/{firm.old_id}/re-point").text


def test_the_preview_is_confirmed_and_undone_on_pages(firm: Firm, ada_browser: Browser) -> None:
    firm.link(104512)
    path = f"{PAGE}/{firm.old_id}/re-point/{firm.previewed('differs')}"
    page = ada_browser.page(path)
    assert "Re-point 1 link" in page.text and "1 of 1 (100%)" in page.text
    answer = ada_browser.post(path, {"typed_name": "Old DMS"})
    assert answer.status_code == 422
    assert ada_browser.post(path, {"typed_name": "New DMS"}).status_code == 303
    page = ada_browser.page(f"{PAGE}/{firm.old_id}")
    assert "1 link has moved to “New DMS”" in page.text
    assert "Members cannot see this server." in page.text and "Their links are kept" not in page.text
    assert "1 link goes back" in ada_browser.page(f"{path}/undo").text
    trail = ada_browser.page("/admin/audit").text
    assert "samples: differs = 1" in trail and "{" not in trail
    assert ada_browser.post(f"{path}/undo", {}).status_code == 303
    assert "1 link has moved back from “New DMS”" in ada_browser.page(f"{PAGE}/{firm.old_id}").text
