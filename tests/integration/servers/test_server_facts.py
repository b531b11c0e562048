"""Facts about a server: assumed, told by an admin, measured and doubted; the client of the next call has them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import pytest

from imanage.server_facts import ASSUMED, FACTS, ServerFacts
from models import Server
from services.core.actor import Actor
from services.core.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from services.core.unit_of_work import session, unit_of_work
from services.servers import server_facts
from tests.support.audit import trail
from tests.support.matters import counted_queries
from tests.support.people import actor_of, make_member
from tests.support.servers import make_server


@pytest.fixture
def admin(database: None) -> Actor:
    return actor_of(make_member("Ada Admin", is_admin=True))


def now(server_id: uuid.UUID) -> ServerFacts:
    session().rollback()
    return server_facts.of(session().get_one(Server, server_id))


def measured(server_id: uuid.UUID, values: Mapping[str, Any], version: str = "10.2") -> None:
    with unit_of_work():
        server_facts.measure(server_id, values, version)


def row(actor: Actor, server_id: uuid.UUID, name: str) -> server_facts.FactRow:
    groups = server_facts.page(actor, server_id).groups
    return next(each for _group, rows in groups for each in rows if each.name == name)


def test_without_rows_everything_is_assumed(admin: Actor) -> None:
    server = make_server()
    assert now(server.id) is ASSUMED
    page = server_facts.page(admin, server.id)
    assert page.count("assumed") == len(FACTS) and not page.doubted


def test_an_admin_corrects_a_fact_and_returns_it(admin: Actor) -> None:
    server = make_server()
    assert server_facts.tell(admin, server.id, "ranges", "no") == "Downloads can be continued"
    assert now(server.id).ranges is False
    told = row(admin, server.id, "ranges")
    assert (told.value, told.source_label, told.by, told.differs) == (
        "No",
        "Told by an admin",
        "Ada Admin",
        True,
    )
    server_facts.forget(admin, server.id, "ranges")
    assert now(server.id).ranges is True
    assert trail()[-2:] == [
        ("server.fact_told", "done", server.name),
        ("server.fact_forgotten", "done", server.name),
    ]
    with pytest.raises(ConflictError):
        server_facts.forget(admin, server.id, "ranges")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("token_header", "bearer", "bearer"),
        ("max_limit", " 1,000 ", 1000),
        ("largest_upload", "", None),
        ("largest_upload", "104857600", 104857600),
        ("new_fields_refused", "comment, size,,comment", ("comment", "size")),
        ("types", ".DOCX = WORDX\n\npdf=ACROBAT", {"docx": "WORDX", "pdf": "ACROBAT"}),
        ("fallback_type", "ANSI", "ANSI"),
    ],
)
def test_what_an_admin_may_enter(admin: Actor, name: str, text: str, value: object) -> None:
    server = make_server()
    server_facts.tell(admin, server.id, name, text)
    assert getattr(now(server.id), name) == value
    _fact, _row, again = server_facts.fact_to_tell(admin, server.id, name)
    server_facts.tell(admin, server.id, name, again)
    assert getattr(now(server.id), name) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("token_header", "cookie"),
        ("ranges", ""),
        ("max_limit", ""),
        ("max_limit", "0"),
        ("max_limit", "-3"),
        ("max_limit", "٣"),
        ("max_limit", "9" * 40),
        ("types", "docx"),
        ("types", "docx = "),
        ("fallback_type", "x" * 5000),
    ],
)
def test_what_an_admin_may_not_enter(admin: Actor, name: str, text: str) -> None:
    server = make_server()
    with pytest.raises(InvalidError):
        server_facts.tell(admin, server.id, name, text)
    assert now(server.id) is ASSUMED


def test_what_can_only_be_measured_is_not_told(admin: Actor) -> None:
    server = make_server()
    for name in ("comments", "version", "nothing"):
        with pytest.raises(NotFoundError):
            server_facts.tell(admin, server.id, name, "kept")


def test_only_a_system_admin_tells(database: None) -> None:
    server, member = make_server(), actor_of(make_member("Max Member"))
    for call in (
        lambda: server_facts.tell(member, server.id, "ranges", "no"),
        lambda: server_facts.forget(member, server.id, "ranges"),
        lambda: server_facts.page(member, server.id),
        lambda: server_facts.report(member, server.id),
    ):
        with pytest.raises(ForbiddenError):
            call()


def test_what_was_told_stays_when_it_is_measured(admin: Actor) -> None:
    server = make_server()
    server_facts.tell(admin, server.id, "ranges", "no")
    measured(server.id, {"ranges": True, "sizes": False})
    facts = now(server.id)
    assert facts.ranges is False and facts.sizes is False
    assert facts.measured == {"sizes"}
    assert row(admin, server.id, "ranges").note == "iManage showed otherwise: Yes."


def test_a_contradicted_fact_is_not_used_until_it_is_measured_again(admin: Actor) -> None:
    server = make_server()
    measured(server.id, {"sizes": False, "ranges": False})
    server_facts.doubt(server.id, {"sizes": "A size was right.", "totals": "Nothing is known of this one."})
    assert now(server.id).sizes is True and now(server.id).ranges is False
    page = server_facts.page(admin, server.id)
    assert [each.title for each in page.doubted] == ["Size in profiles is that of the file"]
    server_facts.doubt(server.id, {"sizes": "Again."})
    assert [action for action, _outcome, _subject in trail()].count("server.fact_doubted") == 1
    measured(server.id, {"sizes": False})
    assert now(server.id).sizes is False
    assert not server_facts.page(admin, server.id).doubted


def test_what_is_doubted_already_costs_one_query_and_no_write(admin: Actor) -> None:
    server_id = make_server().id
    measured(server_id, {"sizes": False})
    server_facts.doubt(server_id, {"sizes": "A size was right."})
    with counted_queries() as statements:
        server_facts.doubt(server_id, {"sizes": "Again.", "totals": "Nothing is known of this one."})
    assert [each.split()[0] for each in statements if each != "BEGIN"] == ["SELECT"]
    assert "FOR UPDATE" not in statements[-1]


def test_a_told_fact_is_used_although_it_was_contradicted(admin: Actor) -> None:
    server = make_server()
    server_facts.tell(admin, server.id, "max_limit", "100")
    server_facts.doubt(server.id, {"max_limit": "A call with 100 rows was refused."})
    assert now(server.id).max_limit == 100
    assert row(admin, server.id, "max_limit").note == "A call with 100 rows was refused."


def test_another_version_of_imanage_is_said(admin: Actor) -> None:
    server = make_server()
    measured(server.id, {"sizes": False}, "10.2")
    with unit_of_work():
        server_facts.note_version(server.id, "10.2")
    assert row(admin, server.id, "sizes").note == ""
    with unit_of_work():
        server_facts.note_version(server.id, "10.4")
    assert row(admin, server.id, "sizes").note == "Measured on version 10.2; the server now is 10.4."
    assert trail()[-1] == ("server.version_changed", "done", server.name)


def test_values_from_elsewhere_that_do_not_fit_are_ignored(admin: Actor) -> None:
    server = make_server(
        facts={"max_limit": "many", "ranges": 7, "unheard_of": 1, "types": [1], "sizes": False}
    )
    facts = now(server.id)
    assert (facts.max_limit, facts.ranges, facts.types, facts.sizes) == (9999, True, ASSUMED.types, False)


def test_the_report_names_nobody_and_nothing(admin: Actor) -> None:
    server = make_server("Harlow and Finch LLP")
    measured(
        server.id,
        {"types": {"docx": "HARLOWX", "pdf": "ACROBAT"}, "fallback_type": "HARLOW", "max_limit": 200},
    )
    text = server_facts.report(admin, server.id)
    assert "HARLOW" not in text.upper() and server.url not in text
    assert "docx: another type" in text and "2 in all" in text
    assert "Most rows in one call: 200 (measured; publicly known: 9,999)" in text
