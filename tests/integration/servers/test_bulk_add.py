"""Pasting a list of e-mails into a server's restriction: who is found, who is not, and nothing saved before Save."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models import ServerMember, db
from services.servers import bulk_add
from tests.support.matters import counted_queries
from tests.support.pages import Browser, read
from tests.support.people import actor_of, make_member
from tests.support.servers import make_server

SERVERS = "/admin/integrations/imanage"


@pytest.mark.usefixtures("browser")
def test_a_list_is_read_as_mail_programs_and_spreadsheets_write_it() -> None:
    admin = make_member(is_admin=True)
    names = ("ada", "tom", "zoe", "kim", "lee", "mia")
    people = [make_member(name.title(), email=f"{name}@firm.test") for name in names]
    typed = (
        'Byron, Ada <ADA@firm.test>; "Adams, Tom" <tom@firm.test>,zoe@firm.test\r\n'
        "mailto:kim@firm.test\tlee@firm.test mia@firm.test\n\nada@firm.test"
    )
    found = bulk_add.match(actor_of(admin), typed)
    assert [each.id for each in found.matched] == [each.id for each in people]
    assert (found.unknown, found.unread) == ((), ())


@pytest.mark.usefixtures("browser")
def test_each_kind_of_no_is_told_apart() -> None:
    actor = actor_of(make_member(is_admin=True))
    listed, gone = make_member(email="l@firm.test"), make_member(email="gone@firm.test", is_active=False)
    guest = make_member(email="guest@client.test", is_guest=True)
    typed = "l@firm.test\ngone@firm.test\nguest@client.test\nnobody@firm.test\nTom Adams\n<script>@x\nodd@@x"
    found = bulk_add.match(actor, typed, [listed.id])
    assert [each.id for each in found.already] == [listed.id]
    assert [each.id for each in found.inactive] == [gone.id]
    assert [each.id for each in found.guests] == [guest.id]
    assert found.unknown == ("nobody@firm.test",)
    assert found.unread == ("Tom Adams", "@x", "odd@@x")
    assert found.matched == ()


@pytest.mark.usefixtures("browser")
def test_a_long_list_costs_a_query_for_each_five_hundred_and_the_rest_is_counted() -> None:
    actor = actor_of(make_member(is_admin=True))
    last = make_member(email="m1999@long.test")
    typed = "\n".join(f"m{number}@long.test" for number in range(2003))
    with counted_queries() as asked:
        found = bulk_add.match(actor, typed)
    assert [each.id for each in found.matched] == [last.id]
    assert (len(found.unknown), found.left_out) == (1999, 3)
    assert len([each for each in asked if "FROM member" in each]) == 4


def test_what_is_pasted_joins_the_list_and_is_saved_by_save(admin: Browser) -> None:
    server = make_server(is_enabled=True)
    ada, tom = make_member("Ada Byron", email="ada@firm.test"), make_member("Tom", email="tom@firm.test")
    page = admin.page(f"{SERVERS}/{server.id}")
    data = {"version": page.value_of("version"), "restricted": "y", "member": [str(tom.id)]}
    answer = admin.post(
        f"{SERVERS}/{server.id}/restriction/pasted",
        data | {"pasted": "ada@firm.test, who@firm.test"},
        htmx=True,
    )
    fragment = read(answer, whole=False)
    assert "1 member added to the list below." in fragment.text
    assert "Not members: 1. who@firm.test" in fragment.text
    assert str(ada.id) in fragment.html and str(tom.id) in fragment.html
    assert db.session.scalars(select(ServerMember)).all() == []
    whole = read(
        admin.post(f"{SERVERS}/{server.id}/restriction/pasted", data | {"pasted": "ada@firm.test"}),
        whole=True,
    )
    assert "1 member added to the list below." in whole.text
    data["member"] = [str(tom.id), str(ada.id)]
    assert admin.post(f"{SERVERS}/{server.id}/restriction", data | {"sure": "1"}).status_code == 303
    db.session.rollback()
    assert {row.member_id for row in db.session.scalars(select(ServerMember))} == {ada.id, tom.id}


def test_hostile_lines_are_shown_as_text(admin: Browser) -> None:
    server = make_server()
    data = {"pasted": "<img src=x onerror=alert(1)>\n\x00\n' OR 1=1 --\n" + "x" * 10_000}
    answer = admin.post(f"{SERVERS}/{server.id}/restriction/pasted", data, htmx=True)
    assert answer.status_code == 200
    assert "<img" not in answer.get_data(as_text=True)
