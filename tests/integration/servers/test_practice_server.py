"""The practice server: one at most, one origin opened for it alone, and marked where it is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imanage.dialling import OutboundBlockedError
from models import Member, Server
from services.access.server_access import available_to
from services.core import runtime
from services.core.actor import Actor
from services.core.errors import ConflictError, ForbiddenError
from services.servers import practice, registry, transport
from services.servers import removal as server_removal
from simulator import Simulator
from simulator.seed import PEOPLE, practice_password
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member
from tests.support.servers import connect, make_link, make_server

SERVERS = "/admin/integrations/imanage"


@pytest.fixture
def vale(database: None) -> Member:
    return make_member("Nora Vale", is_admin=True)


@pytest.fixture
def nora(vale: Member) -> Actor:
    return actor_of(vale)


def row_of(actor: Actor) -> Server:
    return registry.require_server(actor, practice.add(actor).id)


def test_it_is_added_off_and_nothing_is_to_run_until_it_is_on(nora: Actor) -> None:
    assert not practice.exists(nora)
    row = row_of(nora)
    assert practice.exists(nora)
    assert (row.is_practice, row.is_enabled, row.kind) == (True, False, "on_premise")
    assert practice.to_run() is None
    registry.set_enabled(nora, row.id, True)
    wanted = practice.to_run()
    assert wanted is not None
    assert wanted.port == 8770
    assert wanted.client_secret == transport.credentials(row).client_secret
    assert wanted.client_secret not in repr(wanted)
    registry.set_enabled(nora, row.id, False)
    assert practice.to_run() is None


def test_there_is_one_at_most(nora: Actor) -> None:
    practice.add(nora)
    with pytest.raises(ConflictError, match="already"):
        practice.add(nora)


def test_only_admins_add_it(database: None) -> None:
    with pytest.raises(ForbiddenError):
        practice.add(actor_of(make_member("Una Blake")))


def test_its_people_are_those_of_the_practice_imanage() -> None:
    theirs = [(user.lower(), practice_password(user)) for user, _, _ in PEOPLE]
    assert [(person.user, person.password) for person in practice.users()] == theirs


def test_its_one_origin_is_opened_for_it_alone(nora: Actor) -> None:
    """Where the installation opens nothing: this host and port, over http, and no other server gains by it."""
    usual = runtime.runtime()
    with Simulator() as ours, Simulator() as beside:
        strict = replace(
            usual.settings,
            imanage_allow_http=False,
            imanage_networks=(),
            imanage_ports=frozenset({443}),
            practice_port=ours.port,
            practice_url=ours.url,
        )
        runtime.bind(replace(usual, settings=strict))
        try:
            row = row_of(nora)
            outbound = transport.outbound(row)
            assert outbound.get(f"{ours.url}/api").status_code == 200
            for elsewhere in (beside.url, f"http://localhost:{ours.port}", "http://127.0.0.2:1"):
                with pytest.raises(OutboundBlockedError):
                    outbound.get(f"{elsewhere}/api")
            another = make_server("Another", url=f"https://127.0.0.1:{ours.port}")
            with pytest.raises(OutboundBlockedError):
                transport.outbound(another).get(f"https://127.0.0.1:{ours.port}/api")
            assert not transport.rules_of(another).allow_http
        finally:
            runtime.bind(usual)


def test_it_never_passes_for_the_firms_own(nora: Actor) -> None:
    row = row_of(nora)
    registry.set_enabled(nora, row.id, True)
    assert [each.label for each in available_to(nora)] == ["Practice iManage"]
    registry.change(nora, row.id, registry.ServerChange("Leeds", registry.version(row)))
    assert [each.label for each in available_to(nora)] == ["Leeds (Practice)"]


def test_its_removal_is_marked_and_takes_its_data_along(browser: Browser, vale: Member, nora: Actor) -> None:
    row = row_of(nora)
    member = make_member("Lena Ford")
    connect(row, member)
    make_link(row, member)
    folder = practice.folder_of(row.id)
    folder.mkdir(parents=True)
    (folder / "practice.sqlite").write_text("rows")
    browser.sign_in(vale)
    answer = browser.post(f"{SERVERS}/{row.id}/remove", {"typed_name": row.name})
    assert answer.status_code == 303
    assert not folder.exists()
    (removal,) = server_removal.recent_removals(nora)
    _, text = server_removal.removed_links(nora, removal.id)
    assert "(practice)" in text


def test_the_list_and_the_page_say_what_it_is(browser: Browser, database: None) -> None:
    admin = make_member("Ada Kerr", is_admin=True)
    browser.sign_in(admin)
    assert "Add practice server" in browser.page(SERVERS).text
    server = row_of(actor_of(admin))
    listed = browser.page(SERVERS)
    assert "Add practice server" not in listed.text
    assert "Practice" in listed.text
    page = browser.page(f"{SERVERS}/{server.id}")
    assert "Practice iManage is a stand-in for training" in page.text
    assert "alice-practice" in page.text
