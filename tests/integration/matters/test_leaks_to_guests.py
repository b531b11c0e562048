"""What a guest may not see is looked for on every route: names, notes, sums and sizes of held and others' documents."""

from __future__ import annotations

import hashlib
import io
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask

from services.core.actor import Actor
from services.matters import audiences, documents, versions
from tests.integration.blueprints.test_routes_and_permissions import ROUTES
from tests.support.matters import add_document, current_version, open_matter
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member
from tests.support.routes import Route

HELD, NOTE, OTHERS, LATER = b"held" * 333, "Canarynote", b"others" * 444, b"later" * 555
CANARIES = (
    "Canary",
    "canary",
    *(hashlib.sha256(content).hexdigest()[:8] for content in (HELD, OTHERS, LATER)),
)


@dataclass
class World:
    """A guest who edits, one document that they see, and the addresses of what they do not."""

    guest: Browser
    places: dict[str, uuid.UUID]
    hidden: dict[str, dict[str, uuid.UUID]]


@pytest.fixture(scope="module")
def routes() -> list[Route]:
    return [route for route in ROUTES if {"matter", "document", "version"} & _names(route)]


def _names(route: Route) -> set[str]:
    return {name for name in ("matter", "document", "version") if f"{{{name}}}" in route.path}


@pytest.fixture
def world(app: Flask, database: None) -> World:
    lead = actor_of(make_member("Lea Lead"))
    guest = make_member("Gina Guest", organisation="Bank", is_guest=True)
    other = make_member("Bo Buyer", organisation="Buyer", is_guest=True)
    matter_id = open_matter(lead, editor=guest, viewer=other)
    document_id = add_document(lead, matter_id)
    first = current_version(document_id)
    versions.add(lead, document_id, "Canarylater.docx", io.BytesIO(LATER), NOTE, is_held=True)
    held = documents.add(lead, matter_id, "Canaryheld.docx", io.BytesIO(HELD), is_held=True)
    return World(
        Browser(app).sign_in(guest),
        {"matter": matter_id, "document": document_id, "version": first},
        {
            "a held document": {"document": held, "version": current_version(held)},
            "a held version": {"version": current_version(document_id)},
            "another organisation's": _of_another(lead, matter_id, other.organisation_id),
        },
    )


def _of_another(lead: Actor, matter_id: uuid.UUID, organisation_id: uuid.UUID | None) -> dict[str, uuid.UUID]:
    assert organisation_id
    document_id = documents.add(lead, matter_id, "Canaryothers.docx", io.BytesIO(OTHERS))
    audiences.change(lead, matter_id, [document_id], "organisations", [organisation_id])
    return {"document": document_id, "version": current_version(document_id)}


def _asked(routes: list[Route], places: dict[str, uuid.UUID]) -> Iterator[tuple[Route, str]]:
    known = places | {name: uuid.uuid4() for name in ("server", "member", "transfer", "item", "invitation")}
    for route in routes:
        try:
            yield route, route.path.format(**known)
        except KeyError:
            continue


def test_no_route_tells_a_guest_of_what_they_do_not_see(world: World, routes: list[Route]) -> None:
    asked = 0
    for route, url in _asked(routes, world.places):
        for is_fragment in (False, True):
            if route.method == "GET":
                answer = world.guest.get(url, htmx=is_fragment)
            else:
                answer = world.guest.post(url, route.data, htmx=is_fragment)
            told = f"{answer.get_data().decode(errors='replace')} {answer.headers}"
            assert not [canary for canary in CANARIES if canary in told], f"{route} told it"
            asked += 1
    assert asked > 60


def test_an_address_of_what_a_guest_does_not_see_is_not_found(world: World, routes: list[Route]) -> None:
    for what, hidden in world.hidden.items():
        for route, url in _asked(routes, world.places | hidden):
            if not _names(route) & hidden.keys():
                continue
            for is_fragment in (False, True):
                if route.method == "GET":
                    answer = world.guest.get(url, htmx=is_fragment)
                else:
                    answer = world.guest.post(url, route.data, htmx=is_fragment)
                assert answer.status_code == 404, f"{route} of {what} answered {answer.status_code}"
                told = answer.get_data().decode(errors="replace")
                assert not [canary for canary in CANARIES if canary in told], f"{route} of {what} told it"
