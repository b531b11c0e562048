"""How many pages may wait for iManage at once, and what the others are told."""

from __future__ import annotations

import re
import threading
import uuid

import pytest

from commands.web_server import THREADS
from services.core import bulkhead
from services.core.bulkhead import MAX_SLOTS, PER_MEMBER, BulkheadFullError, Slots, slot
from services.guidance.imanage_errors import remote_refusal
from tests.architecture.sources import files, text_of

ONE, OTHER = uuid.uuid4(), uuid.uuid4()
# Checks of a connection and learning run in threads of their own, a few at a time.
ASK_FOR_PAGES = {
    "services/picker/browse.py",
    "services/transfers/update_check.py",
    "services/connections/oauth.py",
    "services/server_admin/repoint_preview.py",
    "services/transfers/profile_forms.py",
}
IN_THE_BACKGROUND = {
    "services/diagnostics/probe_session.py",
    "services/server_admin/learning.py",
    "services/drift/watch.py",
}


def test_half_of_the_web_threads_and_two_of_one_person() -> None:
    assert bulkhead.WEB_THREADS == THREADS
    assert f"threads = {THREADS}\n" in text_of("gunicorn.conf.py")
    assert MAX_SLOTS * 2 == THREADS and PER_MEMBER == 2


def test_every_call_to_imanage_for_a_page_takes_a_slot() -> None:
    asking = {name for name in files(".py", below="services/") if "for_page=True" in text_of(name)}
    taking = {
        name for name in files(".py", below="services/") if re.search(r"bulkhead\.slot\(", text_of(name))
    }
    assert (
        asking - IN_THE_BACKGROUND - {"services/servers/transport.py", "services/connections/tokens.py"}
        == ASK_FOR_PAGES
    )
    assert taking == ASK_FOR_PAGES


def test_a_third_call_of_one_person_is_refused_and_another_persons_is_not() -> None:
    slots = Slots()
    assert slots.acquire(ONE) and slots.acquire(ONE)
    assert not slots.acquire(ONE, seconds=0)
    assert slots.is_at_own_limit(ONE) and not slots.is_at_own_limit(OTHER)
    assert slots.acquire(OTHER, seconds=0)
    slots.release(ONE)
    assert slots.acquire(ONE, seconds=0)


def test_the_number_of_web_threads_sets_the_number_of_slots() -> None:
    slots = Slots()
    slots.resize(4)
    assert slots.acquire(uuid.uuid4(), seconds=0) and slots.acquire(uuid.uuid4(), seconds=0)
    assert not slots.acquire(uuid.uuid4(), seconds=0)


def test_no_more_than_all_are_taken() -> None:
    slots = Slots()
    assert all(slots.acquire(uuid.uuid4(), seconds=0) for _ in range(MAX_SLOTS))
    assert not slots.acquire(ONE, seconds=0)
    assert not slots.is_at_own_limit(ONE)


def test_a_slot_that_comes_free_in_time_is_taken() -> None:
    slots = Slots()
    slots.acquire(ONE)
    slots.acquire(ONE)
    later = threading.Timer(0.05, slots.release, (ONE,))
    later.start()
    assert slots.acquire(ONE, seconds=30)
    later.join()


def test_only_some_wait() -> None:
    slots = Slots(total=1, waiting=1)
    slots.acquire(ONE)
    waiting = threading.Thread(target=slots.acquire, args=(OTHER, 30))
    waiting.start()
    while not slots._waiting:
        pass
    assert not slots.acquire(uuid.uuid4(), seconds=30), "told at once, for somebody waits already"
    slots.release(ONE)
    waiting.join()


def test_a_slot_is_given_back_whatever_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulkhead, "slots", Slots(total=1))
    with pytest.raises(ZeroDivisionError), slot(ONE):
        raise ZeroDivisionError
    with slot(ONE):
        pass


def test_the_refusal_says_whose_pages_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulkhead, "WAIT_SECONDS", 0)
    monkeypatch.setattr(bulkhead, "slots", Slots(total=3))
    with slot(ONE), slot(ONE):
        with pytest.raises(BulkheadFullError) as caught, slot(ONE):
            pass
        said = remote_refusal(caught.value, "London")
        assert said.sentence == "London is slow: two of your pages are still waiting for it."
        with slot(OTHER), pytest.raises(BulkheadFullError) as caught, slot(uuid.uuid4()):
            pass
        said = remote_refusal(caught.value, "London")
        assert said.sentence == "London is slow: other people’s pages are still waiting for it."
        assert said.next_step == "Try again in a few seconds."
