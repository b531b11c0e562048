"""Threads that write at the same moment share a commit, and each hears of its own outcome."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from services.core.group_commit import MAX_BATCH, GroupCommit


class WrongError(Exception):
    pass


class Book:
    """What was written, a list a commit. An entry of `spoils` fails the whole, one of `refused` only itself."""

    def __init__(self) -> None:
        self.commits: list[list[str]] = []
        self.may_write = threading.Event()
        self.began = threading.Event()

    def write(self, entries: Sequence[str]) -> list[Exception | None]:
        self.began.set()
        assert self.may_write.wait(5)
        if "spoils" in entries:
            raise WrongError(entries)
        self.commits.append(list(entries))
        return [WrongError(entry) if entry == "refused" else None for entry in entries]


def all_at_once(book: Book, *entries: str) -> dict[str, Exception | None]:
    """The first begins to write; the others come while it does."""
    together, outcomes = GroupCommit(book.write), {}

    def put(entry: str) -> None:
        try:
            together(entry)
            outcomes[entry] = None
        except WrongError as error:
            outcomes[entry] = error

    threads = [threading.Thread(target=put, args=(entry,)) for entry in entries]
    threads[0].start()
    assert book.began.wait(5)
    for thread in threads[1:]:
        thread.start()
    for _ in range(500):
        if len(together._waiting) == len(entries) - 1:
            break
        threading.Event().wait(0.01)
    book.may_write.set()
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()
    return outcomes


def test_those_that_come_while_one_writes_share_the_next_commit() -> None:
    book = Book()
    assert set(all_at_once(book, "first", "second", "third", "fourth").values()) == {None}
    assert [sorted(commit) for commit in book.commits] == [["first"], ["fourth", "second", "third"]]


def test_a_commit_has_its_limit() -> None:
    book = Book()
    names = [f"entry {number}" for number in range(MAX_BATCH + 4)]
    assert set(all_at_once(book, *names).values()) == {None}
    assert [len(commit) for commit in book.commits] == [1, MAX_BATCH, 3]


def test_one_that_spoils_the_commit_spoils_it_for_itself_alone() -> None:
    book = Book()
    outcomes = all_at_once(book, "first", "second", "spoils", "third")
    assert {entry for entry, error in outcomes.items() if error is not None} == {"spoils"}
    assert sorted(entry for commit in book.commits for entry in commit) == ["first", "second", "third"]


def test_one_that_is_refused_hears_of_it_and_the_others_do_not() -> None:
    book = Book()
    outcomes = all_at_once(book, "first", "second", "refused")
    assert {entry for entry, error in outcomes.items() if error is not None} == {"refused"}


def test_who_is_alone_does_not_linger() -> None:
    book = Book()
    book.may_write.set()
    GroupCommit(book.write, linger=60.0, expected=lambda: 1)("alone")
    assert book.commits == [["alone"]]


def test_an_error_is_raised_in_the_thread_of_its_entry() -> None:
    book = Book()
    book.may_write.set()
    with pytest.raises(WrongError):
        GroupCommit(book.write)("spoils")
