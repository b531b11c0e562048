"""Every search finds what it looks for however it is written there and typed here, on both databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from models import Group, Member
from services.core import audit
from services.core.actor import Actor
from services.core.unit_of_work import unit_of_work
from tests.support import matters
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member
from tests.support.servers import connect, make_server

SPELLINGS = [
    ("Łukasz Wójcik", "lukasz"),
    ("Łukasz Wójcik", "WOJCIK łukasz"),
    ("Lukasz Wojcik", "Łukasz"),
    ("Siobhán O’Brien", "o'brien"),
    ("Siobhán O’Brien", "obrien"),
    ("Siobhan OBrien", "O’Brien"),
    ("Siobhán O'Brien", "O‘BRIEN siobhan"),
    ("Ørsted Æbelø", "aebelo"),
    ("Straße", "strasse"),
    ("Дмитрий Иванов", "ivanov"),
    ("Dmitriy Ivanov", "Иванов"),
    ("Jean–Luc", "jean-luc"),
    ("İbrahim", "ibrahim"),
    ("鈴木 花子", "花子"),
]
Plant = Callable[["Office", str], str]


class Office:
    """A System Admin who leads a matter, and someone else who is not to be found."""

    def __init__(self, app: Flask) -> None:
        self.admin: Member = make_member("Zed Zulu", email="zed@firm.test", is_admin=True)
        self.actor: Actor = actor_of(self.admin)
        self.browser = Browser(app).sign_in(self.admin)
        make_member("Quite Another", email="q@firm.test")


@pytest.fixture
def office(app: Flask, database: None) -> Office:
    return Office(app)


def as_a_member(office: Office, name: str) -> str:
    make_member(name)
    return "/admin/members?q={}"


def as_a_participant(office: Office, name: str) -> str:
    make_member(name)
    return f"/matters/{matters.open_matter(office.actor)}/people/search?q={{}}"


def as_listed(office: Office, name: str) -> str:
    make_member(name)
    return f"POST /admin/integrations/imanage/{make_server().id}/restriction/search"


def as_one_of_a_group(office: Office, name: str) -> str:
    make_member(name)
    with unit_of_work() as writing:
        group = Group(name="Deal team", name_key="deal team")
        writing.add(group)
    return f"/admin/groups/{group.id}/search?q={{}}"


def as_one_who_asks_why(office: Office, name: str) -> str:
    make_member(name)
    return f"/admin/integrations/imanage/{make_server().id}/why?q={{}}"


def as_one_who_is_signed_in(office: Office, name: str) -> str:
    server = make_server()
    connect(server, make_member(name))
    connect(server, office.admin)
    return f"/admin/integrations/imanage/{server.id}/sign-ins?q={{}}"


def as_a_matter(office: Office, name: str) -> str:
    matters.open_matter(office.actor, name)
    matters.open_matter(office.actor, "Quite Another")
    return "/matters?q={}"


def as_a_document(office: Office, name: str) -> str:
    matter_id = matters.open_matter(office.actor)
    matters.add_document(office.actor, matter_id, f"{name}.docx")
    matters.add_document(office.actor, matter_id, "Quite Another.docx", b"another")
    return f"/matters/{matter_id}?q={{}}"


def as_an_event(office: Office, name: str) -> str:
    with unit_of_work():
        audit.record(office.actor, "matter.created", name)
        audit.record(office.actor, "matter.created", "Quite Another")
    return "/admin/audit?q={}"


SEARCHES: list[Plant] = [
    as_a_member,
    as_a_participant,
    as_listed,
    as_one_of_a_group,
    as_one_who_asks_why,
    as_one_who_is_signed_in,
    as_a_matter,
    as_a_document,
    as_an_event,
]


@pytest.mark.parametrize("plant", SEARCHES, ids=lambda each: each.__name__)
@pytest.mark.parametrize(("name", "typed"), SPELLINGS)
def test_every_search_knows_one_folding(office: Office, plant: Plant, name: str, typed: str) -> None:
    address = plant(office, name).format(typed)
    answer = (
        office.browser.post(address.removeprefix("POST "), {"q": typed}, htmx=True)
        if address.startswith("POST ")
        else office.browser.get(address, htmx=True)
    )
    said = answer.get_data(as_text=True).replace("&#39;", "'")
    assert answer.status_code == 200, address
    assert name in said
    assert "Quite Another" not in said
