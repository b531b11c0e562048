"""Groups of members: kept by System Admins, listed by servers, and left at once with all that went with them."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import select

from models import AuditEvent, Connection, GroupMember, Member, Server, ServerGroup, Transfer, db
from services.access.server_access import available_to, require_use
from services.core.errors import InvalidError, NotFoundError, RefusedError
from services.core.unit_of_work import unit_of_work
from services.execution.authorization import AuthorizationSnapshot
from services.members import groups, offboarding
from services.server_admin import access_explainer
from services.servers import restriction
from services.servers import views as server_views
from services.servers.restriction import RestrictionChange
from tests.support import matters
from tests.support.pages import Browser, read
from tests.support.people import actor_of, make_member
from tests.support.servers import connect, make_server

GROUPS = "/admin/groups"


@pytest.fixture
def boss(browser: Browser) -> Member:
    return make_member("Margaret Okafor", email="margaret@admin.test", is_admin=True)


def make_group(boss: Member, name: str, *members: Member) -> uuid.UUID:
    group_id = groups.create(actor_of(boss), name)
    groups.add(actor_of(boss), group_id, [each.id for each in members])
    return group_id


def restrict(boss: Member, server: Server, *group_ids: uuid.UUID, people: tuple[Member, ...] = ()) -> object:
    actor = actor_of(boss)
    version = restriction.restriction(actor, server.id).version
    ids = tuple(each.id for each in people)
    return restriction.save(actor, server.id, RestrictionChange(True, ids, version, tuple(group_ids)))


def may_use(member: Member, server: Server) -> bool:
    db.session.rollback()
    try:
        require_use(member.id, server.id)
    except RefusedError:
        return False
    return bool(available_to(actor_of(member)))


def tokens() -> set[uuid.UUID]:
    db.session.rollback()
    return set(db.session.scalars(select(Connection.member_id)))


def test_a_listed_group_lets_its_members_in_and_nobody_else(boss: Member) -> None:
    server = make_server(is_enabled=True)
    ada, tom, zoe = make_member("Ada"), make_member("Tom"), make_member("Zoë")
    team, other = make_group(boss, "Deal team", ada, tom), make_group(boss, "Tax", zoe)
    restrict(boss, server, team, people=(ada,))
    assert [may_use(each, server) for each in (ada, tom, zoe)] == [True, True, False]
    view = restriction.restriction(actor_of(boss), server.id)
    assert (view.listed, [each.name for each in view.groups]) == (2, ["Deal team"])
    assert [row.listed for row in server_views.all_servers(actor_of(boss))] == [2]
    restrict(boss, server, other)
    assert [may_use(each, server) for each in (ada, tom, zoe)] == [False, False, True]


def test_leaving_a_group_ends_the_use_at_once_unless_listed_another_way(boss: Member) -> None:
    server = make_server(is_enabled=True)
    ada, tom, zoe = make_member("Ada"), make_member("Tom"), make_member("Zoë")
    team, second = make_group(boss, "Deal team", ada, tom, zoe), make_group(boss, "Second", zoe)
    restrict(boss, server, team, second, people=(ada,))
    for each in (ada, tom, zoe):
        connect(server, each)
    ended = [groups.remove(actor_of(boss), team, each.id) for each in (ada, tom, zoe)]
    assert ended == [0, 1, 0]
    assert tokens() == {ada.id, zoe.id}
    assert [may_use(each, server) for each in (ada, tom, zoe)] == [True, False, True]
    assert groups.delete_group(actor_of(boss), second) == 1
    assert tokens() == {ada.id}
    assert not may_use(zoe, server)


def test_a_transfer_of_a_member_who_left_the_group_stops(boss: Member) -> None:
    server, ada = make_server(is_enabled=True), make_member("Ada")
    team = make_group(boss, "Deal team", ada)
    restrict(boss, server, team)
    matter_id = matters.open_matter(actor_of(ada))
    with unit_of_work() as writing:
        transfer = Transfer(
            request_key=uuid.uuid4(),
            kind="get",
            matter_id=matter_id,
            server_id=server.id,
            server_name="DMS",
            member_id=ada.id,
        )
        writing.add(transfer)
    before = AuthorizationSnapshot([transfer.id]).of(transfer.id)
    assert before is not None
    assert before.refusal is None
    groups.remove(actor_of(boss), team, ada.id)
    after = AuthorizationSnapshot([transfer.id]).of(transfer.id)
    assert after is not None
    assert after.refusal is not None


def test_a_group_of_a_server_that_is_open_to_all_ends_nobodys_sign_in(boss: Member) -> None:
    server, ada = make_server(is_enabled=True), make_member("Ada")
    team = make_group(boss, "Deal team", ada)
    restrict(boss, server, team)
    actor = actor_of(boss)
    version = restriction.restriction(actor, server.id).version
    restriction.save(actor, server.id, RestrictionChange(False, (), version, (team,)))
    connect(server, ada)
    assert groups.remove(actor, team, ada.id) == 0
    assert tokens() == {ada.id}


def test_guests_and_the_inactive_are_in_no_group_and_the_deactivated_leave(boss: Member) -> None:
    ada = make_member("Ada")
    team = make_group(
        boss, "Deal team", ada, make_member("Gita", is_guest=True), make_member("Old", is_active=False)
    )
    assert groups.member_ids(actor_of(boss), team) == {ada.id}
    offboarding.deactivate(actor_of(boss), ada.id)
    assert db.session.scalars(select(GroupMember)).all() == []


def test_names_are_unique_without_regard_to_letter_case_or_accents(boss: Member) -> None:
    first = make_group(boss, "Équipe")
    with pytest.raises(InvalidError, match="already exists"):
        make_group(boss, "EQUIPE")
    second = make_group(boss, "Tax")
    with pytest.raises(InvalidError, match="already exists"):
        groups.rename(actor_of(boss), second, "équipe")
    groups.rename(actor_of(boss), first, "ÉQUIPE")
    assert [each.name for each in groups.all_groups(actor_of(boss))] == ["ÉQUIPE", "Tax"]


def test_a_group_saved_elsewhere_makes_the_restriction_stale(boss: Member) -> None:
    server, team = make_server(), make_group(boss, "Deal team")
    actor = actor_of(boss)
    stale = restriction.restriction(actor, server.id).version
    restrict(boss, server, team)
    with pytest.raises(InvalidError, match="restricted to Deal team"):
        restriction.save(actor, server.id, RestrictionChange(False, (), stale))


def test_why_says_by_which_group(boss: Member) -> None:
    server, ada = make_server(is_enabled=True), make_member("Ada")
    restrict(boss, server, make_group(boss, "Deal team", ada), people=(ada,))
    said = " ".join(
        step.sentence for step in access_explainer.explain(actor_of(boss), server.id, ada.id).steps
    )
    assert "The member is listed by name and by the group Deal team." in said


def test_an_admin_keeps_groups_in_the_page(browser: Browser, boss: Member) -> None:
    admin = browser.sign_in(boss)
    ada, server = make_member("Ada Byron", email="ada@firm.test"), make_server(is_enabled=True)
    assert "No groups yet" in admin.page(GROUPS).text
    assert admin.post(f"{GROUPS}/new", {"name": ""}).status_code == 422
    answer = admin.post(f"{GROUPS}/new", {"name": "=Deal team"})
    here = answer.headers["Location"]
    assert "This group has no members yet" in admin.page(here).text
    assert "ada@firm.test" in read(admin.get(f"{here}/search?q=byr", htmx=True), whole=False).text
    admin.post(f"{here}/members", {"member": str(ada.id)})
    pasted = read(admin.post(f"{here}/pasted", {"pasted": "ada@firm.test; who@x.test"}), whole=True)
    assert "Already in the list: 1. ada@firm.test" in pasted.text
    assert "Not members: 1. who@x.test" in pasted.text
    csv = admin.get(f"{here}/members.csv").get_data(as_text=True)
    assert '"Ada Byron","ada@firm.test"' in csv
    group_id = here.rpartition("/")[2]
    url = f"/admin/integrations/imanage/{server.id}"
    version = admin.page(url).value_of("version")
    admin.post(f"{url}/restriction", {"version": version, "restricted": "y", "group": group_id, "sure": "1"})
    page = admin.page(url)
    assert "Only the 1 member listed, by name or by a group, can use this server." in page.text
    assert "Restricted (1)" in admin.page("/admin/integrations/imanage").text
    assert "This group is listed by servers" in admin.page(f"{here}/delete").text
    admin.post(f"{here}/delete")
    assert db.session.scalars(select(ServerGroup)).all() == []
    actions = set(db.session.scalars(select(AuditEvent.action)))
    assert {"group.created", "group.members_added", "group.deleted"} <= actions


def test_only_admins_reach_the_service(boss: Member) -> None:
    somebody = actor_of(make_member())
    team = make_group(boss, "Deal team")
    for refused in (groups.all_groups, lambda actor: groups.group(actor, team)):
        with pytest.raises(RefusedError):
            refused(somebody)
    with pytest.raises(NotFoundError):
        groups.group(actor_of(boss), uuid.uuid4())
