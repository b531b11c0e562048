"""A proxy answers 407: the member reads what it is, and that the network team needs to act."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from models import Connection, Link
from services.core.unit_of_work import session
from simulator import Fault, Simulator
from tests.support.pages import Browser, read
from tests.support.people import make_member
from tests.support.practice import begin, decide, practice_server
from tests.support.sign_ins import TOKEN
from tests.support.transfers import Desk, carry, drafts_id, get, items_of, save, sha256, stored

SENTENCE = "A proxy between Counterpart and {} asked for a sign-in of its own and let nothing through."
IN_A_TRANSFER = SENTENCE.format("iManage")
NEXT_STEP = "Ask your network team to let Counterpart reach the server without that sign-in."


def wants_sign_in(path: str, method: str = "") -> Fault:
    return Fault("status", method=method, path=path, status=407, html=True, times=None)


def test_a_get_fails_with_the_cause_and_whose_step_it_is(desk: Desk) -> None:
    transfer_id = get(desk, desk.practice.world.named("SPA – Project Heron").id())
    desk.practice.faults.add(wants_sign_in("/documents/"))
    (item,) = items_of(transfer_id)
    failed = carry(item.id)
    assert (failed.state, failed.error_code) == ("failed", "imanage.not_imanage.proxy")
    assert (failed.error_sentence, failed.next_step) == (IN_A_TRANSFER, NEXT_STEP)
    page = read(desk.browser.get(f"/transfers/{transfer_id}"), whole=True)
    assert IN_A_TRANSFER in page.text
    assert NEXT_STEP in page.text
    assert "profile fields" not in page.text


def test_an_upload_that_a_proxy_refused_has_surely_not_arrived(desk: Desk) -> None:
    content = b"refused by a proxy"
    document_id = desk.add_document("Refused.docx", content)
    (item,) = items_of(save(desk, document_id, "new_document", drafts_id(desk)))
    desk.practice.faults.add(wants_sign_in("/documents$", "POST"))
    failed = carry(item.id)
    assert (failed.state, failed.sent_at) == ("failed", None)
    assert (failed.error_sentence, failed.next_step) == (IN_A_TRANSFER, NEXT_STEP)
    assert stored(desk, "Drafts").count(sha256(content)) == 0
    assert session().scalar(select(func.count()).select_from(Link)) == 0


def test_where_only_the_renewal_meets_it_the_sign_in_is_kept(desk: Desk) -> None:
    (item,) = items_of(get(desk, desk.practice.world.named("SPA – Project Heron").id()))
    desk.practice.expire_tokens()
    desk.practice.faults.add(wants_sign_in(TOKEN))
    waiting = carry(item.id)
    assert (waiting.state, waiting.error_sentence) == ("waiting", IN_A_TRANSFER)
    assert session().scalars(select(Connection.state)).one() == "connected"
    desk.practice.faults.clear()
    assert carry(item.id).state == "done"


@pytest.mark.parametrize("path", [TOKEN, "/api$"])
def test_a_sign_in_that_meets_it_names_the_network_team(
    browser: Browser, practice: Simulator, path: str
) -> None:
    server = practice_server(practice)
    browser.sign_in(make_member("Alice Archer", email="alice@practice.example"))
    back = decide(begin(browser, server.id))
    practice.faults.add(wants_sign_in(path))
    page = read(browser.get(back), whole=True)
    assert SENTENCE.format("iManage") in page.text
    assert "Who needs to act: Your network team" in " ".join(page.text.split())
    assert session().scalar(select(func.count()).select_from(Connection)) == 0
