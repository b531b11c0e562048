"""A server's route: the choice on its page, what the page, the request sheet and the doctor say of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from imanage.guard import USER_AGENT
from models import AuditEvent, Server
from services.core import background_tasks, runtime
from services.core.unit_of_work import session, unit_of_work
from services.operations import installation_health
from services.servers import addresses, registry, transport
from tests.support.outbound_proxy import outbound_proxy
from tests.support.pages import Browser, read
from tests.support.people import make_member
from tests.support.servers import make_server
from tests.support.settings import change_settings

SERVERS = "/admin/integrations/imanage"


@pytest.fixture
def proxied(database: None) -> Iterator[None]:
    """An installation with a proxy, which nobody listens at."""
    usual = runtime.runtime()
    change_settings(
        outbound_proxy="http://127.0.0.1:9",
        outbound_proxy_login=("counterpart", "sesame-0451"),
        no_proxy=("inside.firm.test",),
    )
    yield
    runtime.bind(usual)


@pytest.fixture
def admin(browser: Browser) -> Browser:
    return browser.sign_in(make_member("Ada Admin", is_admin=True))


def choose(admin: Browser, server: Server, route: str, status: int = 303) -> str:
    session().rollback()
    version = registry.version(session().get_one(Server, server.id))
    answer = admin.post(f"{SERVERS}/{server.id}/route", {"route": route, "version": version})
    assert answer.status_code == status
    assert background_tasks.wait(60)
    session().rollback()
    return read(answer, whole=True).text if status == 422 else ""


def test_by_default_it_goes_through_the_proxy_unless_listed(proxied: None) -> None:
    outside = make_server("Outside")
    inside = make_server("Inside", url="https://dms.inside.firm.test")
    split = make_server("Split", url="https://dms.inside.firm.test:444", api_url="https://api.firm.test")
    practice = make_server("Practice", url="http://127.0.0.1:8770", is_practice=True)
    found = [transport.uses_proxy(each) for each in (outside, inside, split, practice)]
    assert found == [True, False, True, False]
    way = transport.proxy_of(split)
    assert way is not None and way.entered == {"dms.inside.firm.test", "api.firm.test"}
    assert (way.host, way.port, way.user) == ("127.0.0.1", 9, "counterpart") and "0451" not in repr(way)
    inside.route, outside.route = "proxy", "direct"
    assert transport.uses_proxy(inside) and not transport.uses_proxy(outside)


def test_an_admin_chooses_the_route_and_it_is_on_record(admin: Browser, proxied: None) -> None:
    server = make_server()
    before = server.changed_at
    page = admin.page(f"{SERVERS}/{server.id}")
    assert "Through the proxy 127.0.0.1:9" in page.text and "Change route" in page.text
    form = admin.page(f"{SERVERS}/{server.id}/route").text
    assert "The proxy is 127.0.0.1:9." in form and "As set for this installation" in form
    choose(admin, server, "direct")
    kept = session().get_one(Server, server.id)
    assert kept.route == "direct" and kept.changed_at > before
    page = admin.page(f"{SERVERS}/{server.id}")
    assert "Saved the route." in page.text and "Through the proxy 127" not in page.text
    choose(admin, server, "direct")  # the same again changes nothing
    events = session().scalars(select(AuditEvent).where(AuditEvent.action == "server.route_changed")).all()
    assert [event.detail for event in events] == [{"route": "direct", "route_before": "default"}]
    assert "Changed the route to an iManage server" in admin.page("/admin/audit").text
    assert "0451" not in page.html + form


def test_what_cannot_be_is_refused_with_its_reason(admin: Browser) -> None:
    server = make_server()
    assert "Change route" not in admin.page(f"{SERVERS}/{server.id}").text
    assert "There is no proxy" in choose(admin, server, "proxy", 422)
    assert "Choose one of these." in choose(admin, server, "pigeon", 422)
    answer = admin.post(f"{SERVERS}/{server.id}/route", {"route": "direct", "version": "old"})
    assert answer.status_code == 422 and "Someone else has changed" in read(answer, whole=True).text
    practice = make_server("Practice", is_practice=True)
    assert "Choose one of these." in choose(admin, practice, "direct", 422)


def test_the_request_sheet_asks_for_the_right_connections(admin: Browser, proxied: None) -> None:
    server = make_server()
    through = admin.page(f"{SERVERS}/{server.id}/request-sheet").text
    assert "Counterpart connects through the proxy 127.0.0.1:9, by CONNECT." in through
    assert "The proxy, for Counterpart" in through
    choose(admin, server, "direct")
    direct = admin.page(f"{SERVERS}/{server.id}/request-sheet").text
    assert "directly, without a proxy" in direct and "127.0.0.1:9" not in direct
    assert "0451" not in through + direct


def test_the_request_sheet_tells_a_security_team_of_large_reads(admin: Browser) -> None:
    server = make_server()
    with unit_of_work() as writing:
        writing.get_one(Server, server.id).at_once = 24
    page = admin.page(f"{SERVERS}/{server.id}/request-sheet").text
    assert "A member can get up to 500 documents at once, 24 at a time over all members" in page
    assert USER_AGENT in page


def test_a_name_that_only_the_proxy_knows_is_no_warning(proxied: None) -> None:
    for host, warned in (("unknown.invalid", 0), ("unknown.inside.firm.test", 1)):
        url = f"https://{host}"
        found = addresses.resolve(transport.ON_PREMISE, addresses.Addresses(url, url, {"url": url}))
        assert len(found) == warned, host


def proxy_check() -> list[installation_health.Check]:
    return [each for each in installation_health.all_checks() if each.name == "outbound proxy"]


def test_the_doctor_names_a_proxy_that_cannot_be_reached(app: Flask, proxied: None) -> None:
    (found,) = proxy_check()
    assert found.state == "fail" and "127.0.0.1:9 cannot be reached: Connection refused" in found.sentence
    with outbound_proxy(1) as running:
        change_settings(outbound_proxy=running.url)
        (found,) = proxy_check()
    assert found.state == "ok" and "0451" not in found.sentence


def test_the_doctor_names_servers_that_need_a_proxy_while_none_is_set(app: Flask, database: None) -> None:
    server = make_server("London")
    assert proxy_check() == []
    with unit_of_work() as writing:
        writing.get_one(Server, server.id).route = "proxy"
    assert installation_health._proxy(runtime.runtime().settings, has_tables=True)[0].state == "fail"
    assert transport.without_proxy() == ("London",)
