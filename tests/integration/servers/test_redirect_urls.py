"""Our redirect URL after it has changed: told on every Admin System page until everybody concerned is settled."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from config import Settings
from models import AuditEvent, Server, ServerCheck, db, utcnow
from services.core import runtime
from services.core.unit_of_work import unit_of_work
from services.servers import redirect_urls
from services.servers.packages import packages
from services.servers.packages.packages import NewPackage
from services.servers.registry import NewServer, add
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member
from tests.support.server_forms import SECRET, use_names
from tests.support.settings import change_settings

SERVERS = "/admin/integrations/imanage"
PACKAGE = f"{SERVERS}/package"
BEFORE = "http://127.0.0.1:8000/auth/v0/oauth2/authorized"
NOW = "https://dms.firm.test/auth/v0/oauth2/authorized"
SENTENCE = "The redirect URL has changed"


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    use_names(monkeypatch, settings)


@pytest.fixture(autouse=True)
def usual(database: None) -> Iterator[None]:
    """The installation is where it was again afterwards."""
    before = runtime.runtime()
    yield
    runtime.bind(before)


def move() -> None:
    """The installation has another API URL from now on."""
    change_settings(api_url="https://dms.firm.test")


def make_package(name: str) -> uuid.UUID:
    maker = actor_of(make_member(is_admin=True))
    return packages.make(
        maker, NewPackage(uuid.uuid4(), "counterpart", name, "Counterpart", "Firm")
    ).package.id


def add_server() -> uuid.UUID:
    url = "https://imanage.firm.test"
    new = NewServer("on_premise", "London DMS", url=url, client_id="counterpart", client_secret=SECRET)
    return add(actor_of(make_member(is_admin=True)), new).id


def test_it_is_told_on_every_admin_page_until_it_is_settled(admin: Browser) -> None:
    spare, server_id = make_package("Spare"), add_server()
    assert SENTENCE not in admin.page(SERVERS).text
    move()
    for url in (SERVERS, PACKAGE, "/admin/members", "/admin/audit", f"{SERVERS}/{server_id}"):
        text = admin.page(url).text
        for word in (SENTENCE, BEFORE, NOW, "London DMS", "the package “Spare”"):
            assert word in text
    assert SENTENCE not in admin.page("/").text
    assert "Next: Register the redirect URL" in admin.page(f"{SERVERS}/{server_id}").text

    assert admin.post(f"{SERVERS}/{server_id}/redirect-url").status_code == 303
    told = redirect_urls.change(actor_of(make_member(is_admin=True)))
    assert told is not None
    assert (told.servers, [each.name for each in told.packages]) == ((), ["Spare"])
    assert admin.post(f"{PACKAGE}/{spare}/settled").status_code == 303
    assert SENTENCE not in admin.page(SERVERS).text
    db.session.rollback()
    confirmed = select(AuditEvent).where(AuditEvent.action == "server.redirect_url_changed")
    assert db.session.scalars(confirmed).one().detail == {"before": BEFORE, "now": NOW}


def test_members_hear_nothing_of_it(browser: Browser) -> None:
    add_server()
    move()
    assert SENTENCE not in browser.sign_in(make_member()).page("/").text
    refused = browser.get(SERVERS)
    assert refused.status_code == 403
    assert SENTENCE not in refused.get_data(as_text=True)


@pytest.mark.parametrize(("seen", "is_settled"), [(NOW, True), (BEFORE, False)])
def test_a_check_that_saw_the_new_one_accepted_settles_it(
    admin: Browser, seen: str, is_settled: bool
) -> None:
    server_id = add_server()
    move()
    found = {"key": "redirect_url", "group": "Application", "title": "", "outcome": "pass", "seconds": 0.0}
    found |= {"code": "", "sentence": "", "cause": "", "next_step": "", "owner": ""}
    with unit_of_work() as writing:
        run = ServerCheck(server_id=server_id, started_by="Ada", finished_at=utcnow(), state="healthy")
        run.results = [found | {"facts": [["Our redirect URL", seen]]}]
        writing.add(run)
    assert (SENTENCE not in admin.page(SERVERS).text) is is_settled


def test_a_server_from_before_this_was_on_record_says_nothing(admin: Browser) -> None:
    server_id = add_server()
    with unit_of_work() as writing:
        writing.get_one(Server, server_id).redirect_url = ""
    move()
    assert SENTENCE not in admin.page(SERVERS).text
