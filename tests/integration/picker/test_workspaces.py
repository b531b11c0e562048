"""The pop-ups open in the matter's workspace: found by its numbers, offered once, remembered, changeable."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models import AuditEvent, Matter, Participant
from services.core.unit_of_work import session, unit_of_work
from simulator import Fault
from tests.support.pages import Browser, Page, read
from tests.support.people import make_member
from tests.support.picker import Desk, step
from tests.support.practice import sign_in_to_imanage

ASKS = "Is “Project Heron” the matter’s workspace?"


@pytest.fixture(autouse=True)
def numbered(desk: Desk) -> None:
    """The matter has the numbers of Project Heron."""
    with unit_of_work() as writing:
        matter = writing.get_one(Matter, desk.matter_id)
        matter.client_number, matter.matter_number = "10042", "0007"


def address(desk: Desk) -> str:
    return f"/matters/{desk.matter_id}/workspace/{desk.server_id}"


def offer(desk: Desk) -> Page:
    return desk.browser.page(address(desk), htmx=True)


def choose(desk: Desk, workspace: str, *steps: str, status: int = 200) -> Page:
    answer = desk.browser.post(address(desk), {"workspace": workspace, "step": list(steps)}, htmx=True)
    assert answer.status_code == status
    return read(answer, whole=False)


def test_the_workspace_with_the_matter_s_numbers_is_offered_and_then_opened(desk: Desk) -> None:
    opening = f"/matters/{desk.matter_id}/get/{desk.server_id}"
    assert address(desk) in desk.browser.page(opening, htmx=True).html
    page = offer(desk)
    assert ASKS in page.text and "Yes, open here" in page.text
    assert len(desk.calls()) == 1
    heron = step(desk.practice, "Project Heron", "w")
    chosen = choose(desk, heron, heron)
    assert "Drafts" in chosen.text and "stop opening here" in chosen.text
    desk.practice.forget_requests()
    assert "Drafts" in desk.look(start=1).text
    assert len(desk.calls()) == 1
    assert ASKS not in offer(desk).text and len(desk.calls()) == 1
    assert address(desk) not in desk.browser.page(opening, htmx=True).html
    assert "This matter’s workspace" in desk.look(shelf="mine").text
    kept = [event.action for event in session().scalars(select(AuditEvent)) if "workspace" in event.action]
    assert kept == ["matter.workspace_chosen"]


def test_a_declined_offer_is_not_made_again(desk: Desk) -> None:
    assert "Recent workspaces" in choose(desk, "").text
    desk.practice.forget_requests()
    assert ASKS not in offer(desk).text and desk.calls() == []
    assert "Recent workspaces" in desk.look(start=1).text


def test_another_workspace_can_be_chosen_and_forgotten(desk: Desk) -> None:
    lease, heron = (step(desk.practice, name, "w") for name in ("Harbour lease", "Project Heron"))
    assert "Open here for this matter" in desk.look(lease).text
    choose(desk, heron, heron)
    choose(desk, lease, lease)
    assert "Harbour lease" in desk.look(start=1).text
    assert "Open here for this matter" in choose(desk, "", lease).text
    assert "Recent workspaces" in desk.look(start=1).text


def test_a_location_of_one_s_own_wins_over_the_start(desk: Desk) -> None:
    heron = step(desk.practice, "Project Heron", "w")
    choose(desk, heron, heron)
    assert "Heads of terms" in desk.look(heron, step(desk.practice, "Drafts"), start=1).text


def test_a_colleague_who_cannot_see_it_in_imanage_does_not_read_its_name(desk: Desk) -> None:
    heron = step(desk.practice, "Project Heron", "w")
    choose(desk, heron, heron)
    other = make_member("Emi Endo")
    with unit_of_work() as writing:
        writing.add(Participant(matter_id=desk.matter_id, member_id=other.id, role="editor"))
    browser = Browser(desk.browser.app).sign_in(other)
    sign_in_to_imanage(browser, desk.server_id, "EMI")
    desk.practice.faults.add(Fault("status", path="/children", status=403, times=None))
    answer = browser.post(desk.base, {"start": 1}, htmx=True)
    page = read(answer, whole=False)
    assert answer.status_code == 502
    assert "This matter’s workspace" in page.text and "Heron" not in page.html


def test_what_cannot_be_opened_is_not_remembered(desk: Desk) -> None:
    choose(desk, "w:Active!999999:Made up", "w:Active!999999:Made up", status=502)
    assert "Recent workspaces" in desk.look(start=1).text


@pytest.mark.parametrize("numbers", [("10042", "9999"), ("99", "0007"), ("", "")])
def test_other_numbers_find_nothing(desk: Desk, numbers: tuple[str, str]) -> None:
    with unit_of_work() as writing:
        matter = writing.get_one(Matter, desk.matter_id)
        matter.client_number, matter.matter_number = numbers
    assert ASKS not in offer(desk).text


def test_a_server_that_refuses_the_filter_offers_nothing(desk: Desk) -> None:
    desk.practice.settings.update({"filters_refused": ["custom2"]})
    assert offer(desk).text.strip() == ""


def test_without_a_sign_in_nothing_is_offered(desk: Desk) -> None:
    desk.practice.faults.add(Fault("expire_tokens", path="/workspaces", times=None))
    desk.practice.faults.add(Fault("refuse_refresh", path="/oauth2/token"))
    assert offer(desk).text.strip() == ""
