"""How servers are: what a check leaves behind, whose turn it is, and what the pages say of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from models import AuditEvent, Server, ServerCheck, ServerCircuit, ServerHealthDay, TransferItem, utcnow
from services.core import background_tasks
from services.core.errors import ConflictError, ForbiddenError
from services.core.unit_of_work import session, unit_of_work
from services.monitoring import history, schedule
from services.monitoring import state as monitoring_state
from services.servers import circuit_breaker, registry
from simulator import Simulator
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member
from tests.support.practice import practice_server
from tests.support.server_health import note, put, report, row_of
from tests.support.servers import make_server
from tests.support.transfers import Desk, get, items_of

URL = "/admin/integrations/imanage"


@pytest.fixture
def admin(browser: Browser) -> Browser:
    return browser.sign_in(make_member("Ada Admin", is_admin=True))


@pytest.fixture
def server(database: None) -> Server:
    return make_server(is_enabled=True)


def pause(server: Server, code: str = "imanage.unreachable.silent") -> None:
    with unit_of_work() as writing:
        writing.add(
            ServerCircuit(
                server_id=server.id,
                open_until=utcnow() + timedelta(minutes=5),
                code=code,
                sentence="The server did not answer.",
                failures=5,
            )
        )


def test_a_state_lasts_since_it_began(server: Server) -> None:
    first = note(server, "fail")
    assert (first.state, first.code, first.sentence) == ("failing", "tcp.refused", "It came to: fail.")
    began = first.since
    assert note(server, "fail").since == began
    healthy = note(server, "pass")
    assert healthy.since > began and (healthy.state, healthy.code, healthy.sentence) == ("healthy", "", "")
    assert note(server, "warn").state == "warning"


def test_what_only_a_person_asks_for_moves_no_state(server: Server) -> None:
    monitoring_state.update(server.id, report(server, "warn", key="secret"))
    assert row_of(server).state == "healthy"
    monitoring_state.update(server.id, report(server, "fail", key="secret"))
    assert row_of(server).state == "failing"


def test_a_failing_server_is_looked_at_sooner(server: Server) -> None:
    now = utcnow()
    assert timedelta(minutes=4) < note(server, "fail").due_at - now < timedelta(minutes=6)
    assert timedelta(minutes=13) < note(server, "pass").due_at - now < timedelta(minutes=17)


def test_each_turn_is_taken_once(server: Server) -> None:
    make_server("Paris, which is off")
    assert schedule.due() == (server.id,)
    assert schedule._claim(server.id) is True
    assert schedule._claim(server.id) is False
    assert schedule.due() == ()
    put(server, due_at=utcnow() - timedelta(seconds=1))
    assert schedule.due() == (server.id,)
    put(server, due_at=utcnow() + timedelta(days=1))
    assert schedule.due() == (server.id,), "A clock that was wrong put it off for ever."


def test_a_change_makes_it_due_and_comes_first(server: Server) -> None:
    admin = actor_of(make_member(is_admin=True))
    other = make_server("Paris", is_enabled=True)
    for each in (server, other):
        assert schedule._claim(each.id)
        note(each, "pass")
    assert schedule.due() == ()
    put(server, due_at=utcnow() - timedelta(minutes=1))
    registry.set_enabled(admin, other.id, False)
    assert schedule.due() == (server.id,)
    registry.set_enabled(admin, other.id, True)
    assert schedule.due() == (other.id, server.id)


def test_a_check_that_began_before_a_change_does_not_speak_for_it(server: Server) -> None:
    early = report(server, "pass")
    with unit_of_work() as writing:
        writing.execute(update(Server).values(changed_at=utcnow() + timedelta(seconds=1)))
    monitoring_state.update(server.id, early)
    assert schedule.due() == (server.id,)


def test_who_asked_to_be_left_alone_is_not_asked(server: Server) -> None:
    pause(server, circuit_breaker.THROTTLED)
    assert schedule.due() == ()
    assert schedule.check_due() == 0


def test_a_pause_that_begins_brings_the_next_look_forward(server: Server) -> None:
    schedule._claim(server.id)
    note(server, "pass")
    for _ in range(circuit_breaker.FAILURES_TO_OPEN):
        assert schedule.due() == ()
        with unit_of_work():
            circuit_breaker.record_failure(server.id, "imanage.unreachable.silent", "Nothing came.", None)
    assert schedule.due() == (server.id,)


def test_the_clock_checks_the_practice_server(practice: Simulator) -> None:
    server = practice_server(practice)
    assert schedule.check_due() == 1
    assert row_of(server).state == "healthy"
    run = session().scalars(select(ServerCheck)).one()
    assert (run.started_by, run.state) == ("Counterpart", "healthy")
    assert schedule.check_due() == 0
    assert not [call for call in practice.requests if call.path.endswith("/token") and call.status == 401]


def test_a_server_that_is_gone_is_passed_over(server: Server) -> None:
    gone = server.id
    with unit_of_work() as writing:
        writing.delete(writing.get_one(Server, gone))
    assert schedule._check(gone) is False
    monitoring_state.update(gone, report(server, "fail"))


def test_days_are_counted_and_old_ones_go(server: Server) -> None:
    admin = actor_of(make_member(is_admin=True))
    today = utcnow().date()
    with unit_of_work() as writing:
        for days in (1, 40, 91):
            row = ServerHealthDay(server_id=server.id, day=today - timedelta(days=days))
            row.healthy, row.warning, row.failing, row.seconds = 94, 0, 2, 96.0
            writing.add(row)
    note(server, "pass", "fail", "fail", "warn")
    kept = {row.day for row in session().scalars(select(ServerHealthDay))}
    assert kept == {today - timedelta(days=days) for days in (0, 1, 40)}
    strip = history.strip(admin, server.id)
    assert len(strip) == 30 and [day.day for day in strip] == sorted(day.day for day in strip)
    assert strip[-1].sentence == "4 checks, 2 failing and 1 with a warning"
    assert strip[-2].sentence == "96 checks, 2 failing" and strip[-2].average == 1.0
    assert (strip[0].sentence, strip[0].state) == ("not checked", "")
    assert strip[-2].share(strip[-2].failing, 40) == 5, "Two of 96 can be seen."


def test_the_page_and_the_list_say_how_it_is(admin: Browser, server: Server) -> None:
    assert "The first check starts within a minute." in admin.page(f"{URL}/{server.id}").text
    note(server, "fail")
    page = admin.page(f"{URL}/{server.id}")
    for words in ("Failing", "Last checked", "It came to: fail.", "1 check, 1 failing", "Show as a table"):
        assert words in page.text
    text = admin.page(URL).text
    assert "Failing" in text and "Last checked" in text
    part = admin.page(f"{URL}/{server.id}/health", htmx=True)
    assert "It came to: fail." in part.text and "health-line" in part.ids


def test_an_old_check_says_nothing_about_now(admin: Browser, server: Server) -> None:
    note(server, "pass")
    put(server, checked_at=utcnow() - timedelta(hours=2))
    text = admin.page(f"{URL}/{server.id}/health", htmx=True).text
    assert "Not checked" in text and "when it was healthy" in text


def test_try_now_ends_a_pause_and_is_on_record(app: Flask, desk: Desk) -> None:
    admin = Browser(app).sign_in(make_member("Ada Admin", is_admin=True))
    transfer_id = get(desk, desk.practice.world.named("Data room index").id())
    with unit_of_work() as writing:
        writing.execute(update(TransferItem).values(wait_until=utcnow() + timedelta(minutes=5)))
    pause(desk.server)
    for address in (URL, f"{URL}/{desk.server.id}"):
        assert "paused until" in admin.page(address).text
    assert "The server did not answer." in admin.page(f"{URL}/{desk.server.id}").text
    assert admin.post(f"{URL}/{desk.server.id}/try-now").status_code == 303
    assert background_tasks.wait(60)
    session().rollback()
    assert circuit_breaker.open_circuits() == {}
    assert session().get_one(ServerCircuit, desk.server.id).failures == 5
    assert items_of(transfer_id)[0].wait_until is None
    actions = list(session().scalars(select(AuditEvent.action).where(AuditEvent.server_id == desk.server.id)))
    assert actions.count("server.tried_now") == 1 and "server.check_started" in actions
    with unit_of_work():
        circuit_breaker.record_failure(desk.server.id, "imanage.unreachable.silent", "Again.", None)
    assert desk.server.id in circuit_breaker.open_circuits(), "One more failure is enough for the next pause."


def test_a_pause_that_imanage_asked_for_is_kept(admin: Browser, server: Server) -> None:
    pause(server, circuit_breaker.THROTTLED)
    assert (
        "iManage asked Counterpart to wait, so this pause cannot be ended early."
        in admin.page(f"{URL}/{server.id}").html
    )
    with pytest.raises(ConflictError):
        schedule.try_now(actor_of(make_member(is_admin=True)), server.id)
    assert admin.post(f"{URL}/{server.id}/try-now").status_code == 409
    assert server.id in circuit_breaker.open_circuits()


def test_only_admins_are_answered(server: Server) -> None:
    member = actor_of(make_member())
    for ask in (
        lambda: monitoring_state.health(member, server.id),
        lambda: monitoring_state.every_health(member),
        lambda: history.strip(member, server.id),
        lambda: schedule.try_now(member, server.id),
    ):
        with pytest.raises(ForbiddenError):
            ask()
