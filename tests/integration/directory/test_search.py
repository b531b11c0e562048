"""Finding people: folded names, every word, wildcards taken literally, and nobody for guests."""

from __future__ import annotations

import pytest

from models import Member
from services.core.actor import Actor
from services.core.unit_of_work import unit_of_work
from services.directory import people
from services.directory import search as directory_search
from services.directory.details import Details
from services.directory.search import EVERYONE, MAX_SORTED, MemberFilter
from services.members import editing
from tests.support.people import actor_of, make_member

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def searcher() -> Actor:
    return actor_of(make_member("Zoë Searcher", email="zoe@firm.test"))


def names(searcher: Actor, text: str, **more: object) -> list[str]:
    found = people.search_people(searcher, text, **{"staff_only": False, **more})
    return [person.name for person in found]


@pytest.mark.parametrize(
    "text", ["müller", "MULLER", "anna mül", "mül anna", "a.m@", "  Anna   ", "ＡＮＮＡ"]
)
def test_a_person_is_found_by_any_part_of_name_or_email(searcher: Actor, text: str) -> None:
    make_member("Anna Müller", email="a.m@firm.test")
    make_member("Bernd Meier", email="bernd@firm.test")
    assert names(searcher, text) == ["Anna Müller"]


@pytest.mark.parametrize("text", ["%", "_", "\\", "' OR 1=1 --", "\x00"])
def test_wildcards_and_quotes_are_only_letters(searcher: Actor, text: str) -> None:
    make_member("Anna", email="a@firm.test")
    assert names(searcher, text) == []


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_nothing_typed_finds_nobody(searcher: Actor, text: str) -> None:
    assert names(searcher, text) == []


def test_guests_are_found_only_where_they_may_be_chosen(searcher: Actor) -> None:
    make_member("Gail Guest", is_guest=True, organisation="Bank")
    assert names(searcher, "gail") == ["Gail Guest"]
    assert names(searcher, "gail", staff_only=True) == []


def test_inactive_people_are_not_found_and_guests_find_nobody(searcher: Actor) -> None:
    make_member("Gone Person", is_active=False)
    guest = actor_of(make_member("Gail", is_guest=True))
    assert names(searcher, "gone") == []
    assert names(guest, "zoe") == []


@pytest.mark.parametrize("many", [30, MAX_SORTED])
def test_the_first_by_name_come_first_however_many_match(searcher: Actor, many: int) -> None:
    for number in reversed(range(many)):
        make_member(f"Twin {number:04}")
    assert names(searcher, "twin", limit=3) == ["Twin 0000", "Twin 0001", "Twin 0002"]


def test_of_too_many_only_those_whose_name_begins_so_are_shown(database: None) -> None:
    for number in reversed(range(MAX_SORTED)):
        make_member(f"Twin {number:04}")
    make_member("Anna Twin")
    make_member("Zara", email="twin.z@firm.test")
    found = directory_search.search_by_name("twin", EVERYONE, 20)
    assert (found.too_many, found.matches) == (True, MAX_SORTED + 1)
    assert [row.name for row in found.members] == [f"Twin {number:04}" for number in range(20)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("m", ["Anna Müller", "Mona Ball"]),
        ("mü", ["Anna Müller"]),
        ("ba", ["Mona Ball"]),
        ("b", ["Mona Ball"]),
        ("na", []),
        ("s m", ["Mona Ball"]),
        ("ann m", ["Anna Müller"]),
        ("b mona", ["Mona Ball"]),
        ("鈴木", ["鈴木 花子"]),
        ("花", ["鈴木 花子"]),
        ("子", []),
    ],
)
def test_one_or_two_letters_find_the_beginning_of_a_word(
    database: None, text: str, expected: list[str]
) -> None:
    make_member("Anna Müller", email="a.m@firm.test")
    make_member("Mona Ball", email="secretary@firm.test")
    make_member("鈴木 花子", email="hanako@firm.test")
    assert [row.name for row in directory_search.search_by_name(text, EVERYONE, 20).members] == expected


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (MemberFilter(), ["Ann Admin", "Ann Gone", "Ann Guest", "Ann Member"]),
        (MemberFilter(is_active=True), ["Ann Admin", "Ann Guest", "Ann Member"]),
        (MemberFilter(is_active=False), ["Ann Gone"]),
        (MemberFilter(is_guest=True), ["Ann Guest"]),
        (MemberFilter(is_active=True, is_guest=False), ["Ann Admin", "Ann Member"]),
        (MemberFilter(is_admin=True), ["Ann Admin"]),
        (MemberFilter(is_admin=True, is_guest=True), []),
    ],
)
def test_only_the_kept_are_found_and_listed(database: None, kept: MemberFilter, expected: list[str]) -> None:
    make_member("Ann Member")
    make_member("Ann Admin", is_admin=True)
    make_member("Ann Guest", is_guest=True)
    make_member("Ann Gone", is_active=False)
    for typed in ("ann", "an", "a"):
        assert [row.name for row in directory_search.search_by_name(typed, kept, 20).members] == expected
    assert [row.name for row in directory_search.by_name(kept, 20)] == expected


@pytest.mark.parametrize(
    "name", ["100% Legal", "under_score", "back\\slash", 'O"Hara', "O'Neill", "a*b", "(x) OR y"]
)
def test_a_name_with_wildcards_is_found_by_them(database: None, name: str) -> None:
    make_member(name)
    make_member("1000 Legal")
    make_member("underscore")
    make_member("a--b")
    assert [row.name for row in directory_search.search_by_name(name, EVERYONE, 20).members] == [name]


def test_a_changed_name_is_found_and_the_old_one_is_not(database: None) -> None:
    admin = actor_of(make_member("Ada", is_admin=True))
    anna = make_member("Anna Mueller", email="anna@firm.test")
    editing.change(admin, anna.id, Details("Anna Schmidt", "schmidt@firm.test"))
    assert names(admin, "schmi") == ["Anna Schmidt"]
    assert names(admin, "mueller") == []
    with unit_of_work() as writing:
        writing.delete(writing.get_one(Member, anna.id))
    assert names(admin, "schmi") == []


def test_pages_continue_where_the_last_one_ended(database: None) -> None:
    for number in range(25):
        make_member(f"Twin {number % 5}", email=f"t{number:02}@firm.test")
    everybody = [row.email for row in directory_search.by_name(EVERYONE, 100)]
    first = directory_search.by_name(EVERYONE, 10)
    second = directory_search.by_name(EVERYONE, 10, after=first[-1])
    assert [row.email for row in (*first, *second)] == everybody[:20]
    assert directory_search.by_name(EVERYONE, 10, before=second[0]) == first
