"""Why can't X use it?: the answer names the first rule that fails, and can never differ from what is enforced."""

from __future__ import annotations

from itertools import product

import pytest

from models import Connection, Matter, Member, Participant, Server, ServerMember
from services.access import server_access
from services.core.errors import RefusedError
from services.core.unit_of_work import unit_of_work
from services.server_admin import access_explainer
from tests.support.pages import Browser, read
from tests.support.people import actor_of, make_member
from tests.support.servers import connect, make_server

SERVERS = "/admin/integrations/imanage"


@pytest.fixture
def boss(browser: Browser) -> Member:
    return make_member("Margaret Okafor", email="margaret@admin.test", is_admin=True)


def put(*rows: object) -> None:
    with unit_of_work() as writing:
        writing.add_all(rows)


@pytest.mark.parametrize(
    ("active", "guest", "on", "restricted", "listed"), list(product([True, False], repeat=5))
)
def test_it_says_no_exactly_where_the_enforcement_does(
    boss: Member, active: bool, guest: bool, on: bool, restricted: bool, listed: bool
) -> None:
    server = make_server(is_enabled=on, is_restricted=restricted)
    member = make_member(is_active=active, is_guest=guest)
    if listed:
        put(ServerMember(server_id=server.id, member_id=member.id))
    connect(server, member)
    problem = access_explainer.explain(actor_of(boss), server.id, member.id).problem
    denial = server_access.use_denial(member.id, server)
    assert (problem.code if problem else None) == (denial.code if denial else None)
    try:
        server_access.require_use(member.id, server.id)
        allowed = True
    except RefusedError:
        allowed = False
    assert allowed == (problem is None)


def test_the_rules_after_the_first_that_fails_are_not_reached(boss: Member) -> None:
    server = make_server(is_enabled=False, is_restricted=True)
    answer = access_explainer.explain(actor_of(boss), server.id, make_member().id)
    assert [step.state for step in answer.steps] == ["done", "done", "fail", "skipped", "skipped", "skipped"]
    assert answer.problem is not None
    assert answer.problem.code == "server.restricted"


def test_matter_sign_in_and_imanage_come_after_the_server(boss: Member) -> None:
    server, member = make_server(is_enabled=True), make_member()
    matter = Matter(name="Harlow v Finch", created_by_id=boss.id)
    put(matter)

    def problem() -> str | None:
        found = access_explainer.explain(actor_of(boss), server.id, member.id, matter.id).problem
        return found.code if found else None

    assert problem() == "matter.role"
    put(Participant(matter_id=matter.id, member_id=member.id, role="viewer"))
    assert problem() == "matter.role"
    with unit_of_work() as writing:
        writing.get_one(Participant, (matter.id, member.id)).role = "editor"
    assert problem() == "sign_in.never"
    row = connect(server, member)
    assert problem() is None
    with unit_of_work() as writing:
        writing.get_one(Connection, row.id).state = "sign_in_again"
    assert problem() == "sign_in.again"


def test_an_admin_finds_anybody_and_reads_the_answer(browser: Browser, boss: Member) -> None:
    admin = browser.sign_in(boss)
    server: Server = make_server(is_enabled=True, is_restricted=True)
    gone = make_member("Tom Adams", email="tom@firm.test", is_active=False)
    guest = make_member("Tomás Guest", email="tomas@client.test", is_guest=True)
    assert "Why can’t a member use it?" in admin.page(f"{SERVERS}/{server.id}").text
    found = admin.page(f"{SERVERS}/{server.id}/why?q=tom")
    assert "tom@firm.test · Not active" in found.text
    assert "tomas@client.test · Guest" in found.text
    page = admin.page(f"{SERVERS}/{server.id}/why/{gone.id}")
    assert "Why can’t Tom Adams use it?" in page.text
    assert "The member is not active." in page.text
    assert "Reactivate the member on the Members page." in page.text
    assert "Guests never see" not in page.text
    assert "Guests never see anything of iManage." in admin.page(f"{SERVERS}/{server.id}/why/{guest.id}").text
    searched = admin.get(f"{SERVERS}/{server.id}/why?q=tom", htmx=True)
    assert "tom@firm.test" in read(searched, whole=False).text
