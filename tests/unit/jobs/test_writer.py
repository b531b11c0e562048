"""What a worker's threads have written beside them: what comes of it comes back, and nothing of it stops the next."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import nullcontext
from multiprocessing import Pipe

import pytest

from jobs.writer import WriterClient, serve
from services.core import writer_process
from services.core.errors import ConflictError
from services.core.writer_process import run_in_writer

WRITTEN: list[int] = []


def write(number: int) -> int:
    WRITTEN.append(number)
    return number


def refuse() -> None:
    raise ConflictError("This matter no longer exists.", code="matter.gone")


class UnsendableError(Exception):
    def __init__(self) -> None:
        super().__init__("it holds a lock")
        self.lock = threading.Lock()


def fall_over() -> None:
    raise UnsendableError


@pytest.fixture
def beside() -> Iterator[threading.Thread]:
    """Another thread stands for the process: whatever reaches it has been through the line."""
    WRITTEN.clear()
    ours, theirs = Pipe()
    process = threading.Thread(target=serve, args=(theirs, nullcontext))
    process.start()
    writer_process.bind(WriterClient(ours))
    try:
        yield process
    finally:
        writer_process.bind(None)
        ours.close()
        process.join(10)
        assert not process.is_alive(), "it ends with the connection"


def test_without_a_writer_process_each_thread_writes_itself() -> None:
    WRITTEN.clear()
    assert run_in_writer(write, 3) == 3 and WRITTEN == [3]
    with pytest.raises(ConflictError):
        run_in_writer(refuse)


def test_what_came_of_it_is_handed_back(beside: threading.Thread) -> None:
    assert [run_in_writer(write, number) for number in range(3)] == WRITTEN == [0, 1, 2]


def test_a_refusal_arrives_with_its_words_and_its_code(beside: threading.Thread) -> None:
    with pytest.raises(ConflictError) as caught:
        run_in_writer(refuse)
    assert (caught.value.sentence, caught.value.code) == ("This matter no longer exists.", "matter.gone")
    assert run_in_writer(write, 1) == 1


def test_an_error_that_cannot_be_sent_is_told_and_ends_nothing(beside: threading.Thread) -> None:
    with pytest.raises(RuntimeError, match="it holds a lock"):
        run_in_writer(fall_over)
    assert run_in_writer(write, 1) == 1


def test_a_request_that_cannot_be_pickled_raises(beside: threading.Thread) -> None:
    with pytest.raises(TypeError):
        run_in_writer(write, threading.Lock())
    assert run_in_writer(write, 1) == 1


def test_threads_that_ask_at_the_same_time_get_each_their_own(beside: threading.Thread) -> None:
    found: dict[int, int] = {}

    def ask(number: int) -> None:
        found[number] = run_in_writer(write, number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == {number: number for number in range(20)}
