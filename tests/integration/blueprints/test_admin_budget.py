"""What pages of the Admin System may cost: no more queries with many rows than with few."""

from __future__ import annotations

import uuid

from models import Group, GroupMember, Member, ServerGroup, ServerMember
from services.core.unit_of_work import unit_of_work
from tests.support.matters import counted_queries
from tests.support.pages import Browser
from tests.support.people import make_member
from tests.support.servers import connect, make_server

SERVERS = "/admin/integrations/imanage"


def list_group(server_id: uuid.UUID, name: str, *members: Member) -> uuid.UUID:
    group = Group(id=uuid.uuid4(), name=name, name_key=name.lower())
    with unit_of_work() as writing:
        writing.add(group)
        writing.flush()
        writing.add(ServerGroup(server_id=server_id, group_id=group.id))
        writing.add_all(GroupMember(group_id=group.id, member_id=each.id) for each in members)
    return group.id


def test_queries_do_not_grow_with_the_rows(admin: Browser) -> None:
    server = make_server(is_enabled=True, is_restricted=True)
    server_id = server.id
    first = make_member()
    member_id = first.id
    connect(server, first)
    group_id = list_group(server_id, "Deal team", first)
    with unit_of_work() as writing:
        writing.add(ServerMember(server_id=server_id, member_id=member_id))
    pages = (
        SERVERS,
        f"{SERVERS}/{server_id}",
        f"{SERVERS}/{server_id}/why/{member_id}",
        f"{SERVERS}/{server_id}/request-sheet",
        "/admin/groups",
        f"/admin/groups/{group_id}",
        "/admin/members",
        "/admin/members/invitations",
    )
    few = [_count(admin, page) for page in pages]
    for number in range(30):
        another, member = make_server(f"DMS {number}", is_enabled=True), make_member()
        connect(another, member)
        connect(server, member)
        list_group(server_id, f"Team {number}", first, member)
        with unit_of_work() as writing:
            writing.add(GroupMember(group_id=group_id, member_id=member.id))
            writing.add(ServerMember(server_id=server_id, member_id=member.id))
    assert [_count(admin, page) for page in pages] == few


def _count(admin: Browser, page: str) -> int:
    with counted_queries() as asked:
        assert admin.get(page).status_code == 200
    return len(asked)
