"""Finding people: folded names, every word, wildcards taken literally, and nobody for guests."""

from __future__ import annotations

import pytest

from services import members
from services.actor import Actor
from tests.support.people import actor_of, make_member

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def searcher() -> Actor:
    return actor_of(make_member("Zoë Searcher", email="zoe@firm.test"))


def names(searcher: Actor, text: str, **more: object) -> list[str]:
    found = members.search_people(searcher, text, **{"staff_only": False, **more})
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


@pytest.mark.parametrize("many", [30, members.SORTED_HERE + 30])
def test_the_first_by_name_come_first_however_many_match(searcher: Actor, many: int) -> None:
    for number in reversed(range(many)):
        make_member(f"Twin {number:04}")
    assert names(searcher, "twin", limit=3) == ["Twin 0000", "Twin 0001", "Twin 0002"]
