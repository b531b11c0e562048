"""Check connection: a run on the page, its report, what else asks for one, and what a page may reach."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from models import AuditEvent, Server, ServerCheck, utcnow
from services.core import background_tasks
from services.core.actor import SYSTEM
from services.core.errors import ForbiddenError
from services.core.unit_of_work import session, unit_of_work
from services.monitoring import check_runs
from simulator import Simulator
from tests.support import server_health
from tests.support.pages import Browser, Page, read
from tests.support.people import actor_of, make_member
from tests.support.practice import practice_server
from tests.support.servers import make_server

SERVERS = "/admin/integrations/imanage"
POLICY = "Content-Security-Policy"


def url_of(server: Server, *more: object) -> str:
    return "/".join(map(str, (SERVERS, server.id, *more)))


def runs_of(server: Server) -> list[ServerCheck]:
    session().rollback()
    query = select(ServerCheck).where(ServerCheck.server_id == server.id).order_by(ServerCheck.started_at)
    return list(session().scalars(query))


def check(admin: Browser, server: Server) -> Page:
    """Press Check connection and look again until it is over."""
    first = read(admin.post(url_of(server, "checks"), htmx=True), whole=False)
    assert "check-run" in first.ids
    assert background_tasks.wait(60)
    return admin.page(url_of(server, "checks", runs_of(server)[-1].id), htmx=True)


def put_run(server: Server, **more: object) -> uuid.UUID:
    with unit_of_work() as writing:
        row = ServerCheck(server_id=server.id, started_by="Ada")
        for name, value in more.items():
            setattr(row, name, value)
        writing.add(row)
        writing.flush()
        return row.id


def asks_again(page: Page) -> bool:
    return "hx-trigger" in page.html


def test_a_run_of_the_practice_server_passes_check_by_check(admin: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    page = check(admin, server)
    run = runs_of(server)[-1]
    assert run.finished_at is not None
    assert run.state in {"healthy", "warning"}, run.results
    assert [row[0] for row in run.plan] == [result["key"] for result in run.results]
    assert not asks_again(page)
    for result in run.results:
        assert result["title"] in page.text
    assert re.search(r"\d\.\d\d s", page.text)
    assert "Margaret Okafor" in page.text
    assert run.results[0]["title"] in admin.page(url_of(server)).text


def test_a_failure_is_open_with_its_cause_next_step_and_owner(admin: Browser, database: None) -> None:
    server = make_server()
    page = check(admin, server)
    run = runs_of(server)[-1]
    assert run.state == "failing"
    failed = next(result for result in run.results if result["outcome"] == "fail")
    assert run.code == failed["code"] != ""
    for told in ("sentence", "cause", "next_step", "code"):
        assert failed[told], told
        assert " ".join(failed[told].split()) in page.text
    assert "<details open>" in page.html
    assert {result["outcome"] for result in run.results[1:]} >= {"skipped"}
    assert "/troubleshooting/" in page.html


def test_the_report_is_copied_and_downloaded_as_text(admin: Browser, database: None) -> None:
    server = make_server("Ünïted; DMS")
    page = check(admin, server)
    run = runs_of(server)[-1]
    answer = admin.get(url_of(server, "checks", run.id, "report.txt"))
    text = answer.get_data(as_text=True)
    assert answer.mimetype == "text/plain"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    for wanted in (
        "Ünïted; DMS",
        server.url,
        "State:     Failing",
        "[FAILED]",
        "What to do:",
        "Who needs to act:",
    ):
        assert wanted in text
    for result in run.results:
        assert result["title"] in text
    assert "data-copy=" in page.html
    assert "the-first-secret" not in text


def test_a_run_under_way_is_found_by_the_second_press(admin: Browser, database: None) -> None:
    server = make_server()
    run_id = put_run(server, plan=[["dns", "Network", "Host name"], ["tcp", "Network", "It takes calls"]])
    page = read(admin.post(url_of(server, "checks"), htmx=True), whole=False)
    assert [row.id for row in runs_of(server)] == [run_id]
    assert asks_again(page)
    assert f"checks/{run_id}" in page.html
    assert "check-waiting" in page.html
    assert "Checking" in page.text


def test_a_run_whose_process_ended_did_not_finish(admin: Browser, database: None) -> None:
    server = make_server()
    put_run(server, started_at=utcnow() - timedelta(minutes=9), seen_at=utcnow() - timedelta(minutes=3))
    page = admin.page(url_of(server))
    assert "Did not finish" in page.text
    assert 'hx-trigger="every 500ms"' not in page.html
    check(admin, server)
    assert len(runs_of(server)) == 2


def test_a_run_that_still_has_results_lives(admin: Browser, database: None) -> None:
    server = make_server()
    put_run(server, started_at=utcnow() - timedelta(minutes=9), seen_at=utcnow() - timedelta(seconds=5))
    assert 'hx-trigger="every 500ms"' in admin.page(url_of(server)).html


def test_a_server_removed_meanwhile_ends_the_run_quietly(app: Flask, database: None) -> None:
    server = make_server()
    server_id, run_id = server.id, put_run(server)
    with unit_of_work() as writing:
        writing.delete(writing.get_one(Server, server_id))
    background_tasks.run(check_runs._run, run_id, server_id, True)
    assert background_tasks.wait(30)
    session().rollback()
    assert session().get(ServerCheck, run_id) is None


def test_the_clock_runs_one_at_a_time_and_leaves_no_audit(database: None) -> None:
    server = make_server()
    run_id = check_runs.run_now(SYSTEM, server.id)
    assert [row.id for row in runs_of(server)] == [run_id]
    assert runs_of(server)[0].state == "failing"
    put_run(server)
    assert check_runs.run_now(SYSTEM, server.id) is None
    assert session().scalar(select(func.count()).select_from(AuditEvent)) == 0


def test_two_hundred_runs_are_kept(database: None) -> None:
    server, other = make_server(), make_server("Paris")
    with unit_of_work() as writing:
        for age in range(205):
            at = utcnow() - timedelta(hours=1 + age)
            writing.add(
                ServerCheck(
                    server_id=server.id, started_by="Ada", started_at=at, finished_at=at, state="healthy"
                )
            )
    put_run(other)
    newest = check_runs.run_now(SYSTEM, server.id)
    rows = runs_of(server)
    assert len(rows) == check_runs.KEPT
    assert rows[-1].id == newest
    assert len(runs_of(other)) == 1


def test_an_admin_starts_ten_checks_a_minute_and_each_is_on_record(admin: Browser, database: None) -> None:
    server = make_server()
    for _ in range(check_runs.PER_MINUTE):
        assert admin.post(url_of(server, "checks")).status_code == 303
        assert background_tasks.wait(30)
    assert admin.post(url_of(server, "checks")).status_code == 429
    session().rollback()
    events = session().scalars(select(AuditEvent).where(AuditEvent.action == check_runs.STARTED)).all()
    assert len(events) == check_runs.PER_MINUTE
    with unit_of_work() as writing:
        writing.execute(update(AuditEvent).values(at=utcnow() - timedelta(minutes=2)))
    assert admin.post(url_of(server, "checks")).status_code == 303


def test_only_admins_may_ask_the_service(database: None) -> None:
    server, member = make_server(), actor_of(make_member())
    run_id = put_run(server)
    for ask in (
        lambda: check_runs.start(member, server.id),
        lambda: check_runs.of(member, run_id),
        lambda: check_runs.latest(member, server.id),
    ):
        with pytest.raises(ForbiddenError):
            ask()


def test_only_the_servers_page_may_reach_the_servers_origin(admin: Browser, database: None) -> None:
    london, paris = make_server(), make_server("Paris")
    policy = admin.get(url_of(london)).headers[POLICY]
    assert policy.endswith(f"; connect-src 'self' {london.url}")
    assert paris.url not in policy
    for elsewhere in (SERVERS, "/account", "/troubleshooting", url_of(london, "request-sheet")):
        assert "connect-src" not in admin.get(elsewhere).headers[POLICY]


def test_a_member_checks_from_their_browser_the_servers_they_may_use(app: Flask, database: None) -> None:
    ours = make_server(is_enabled=True)
    hidden = make_server("Paris", is_enabled=True, is_restricted=True)
    off = make_server("Oslo")
    member = Browser(app).sign_in(make_member())
    page = member.page(f"/troubleshooting/this-browser/{ours.id}")
    assert f'data-connectivity="{ours.url}"' in page.html
    answer = member.get(f"/troubleshooting/this-browser/{ours.id}")
    assert answer.headers[POLICY].endswith(f"; connect-src 'self' {ours.url}")
    for server in (hidden, off):
        assert member.get(f"/troubleshooting/this-browser/{server.id}").status_code == 404
    links = member.page("/account").links
    assert f"/troubleshooting/this-browser/{ours.id}" in links
    assert f"/troubleshooting/this-browser/{hidden.id}" not in links


def test_the_page_has_a_menu_of_its_parts_and_who_can_use_it_comes_before_the_checks(admin: Browser) -> None:
    page = admin.page(url_of(make_server()))
    parts = ("checklist", "who", "check", "connection", "own-ca", "sign-ins", "health-strip", "remove")
    for part in parts:
        assert f"#{part}" in page.links
        assert part in page.ids
    places = [page.html.index(f'id="{part}"') for part in parts]
    assert places == sorted(places)


def test_passed_checks_are_one_line_and_failures_are_open(admin: Browser) -> None:
    server = make_server(url="https://127.0.0.1:9")
    admin.post(url_of(server, "checks"))
    assert background_tasks.wait(30)
    session().rollback()
    html = admin.page(url_of(server)).html
    rest = html.index("cp-check-rest")
    assert "1 check passed, " in html or "were not looked at" in html
    assert html.index("cp-check-fail") < rest
    assert "cp-check-fail" not in html[rest:]
    assert "cp-check-skipped" not in html[html.index('id="check-run"') : rest]


def test_the_banner_leads_to_where_the_failure_is_mended(admin: Browser) -> None:
    server = make_server(is_enabled=True)
    server_health.note(server, "fail")
    assert "#check" in admin.page(url_of(server)).links
    server_health.put(server, code="tls.unknown_authority")
    html = admin.page(url_of(server)).html
    line = html[html.index('id="health-line"') : html.index('id="checklist"')]
    assert 'href="#own-ca"' in line
