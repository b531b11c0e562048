"""What a viewer may know of a server: names planted in one that is restricted are looked for on every route.

The unlisted member works in the matter, and asked for the transfers while the server was open to them. The removed
participant did too, and takes no part in the matter any more. The guest takes part. None of them may read any name.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from flask import Flask

from models import Connection, Link, Mail, Participant, Server, TransferItem
from services.access.server_access import ONLY_SERVER, known_to
from services.core.unit_of_work import session, unit_of_work
from services.guidance.outcomes import NOT_FOR_YOU
from services.mail.messages import NotToBeSentError
from services.matters import closing_index, participants
from services.transfers import mail as transfer_mail
from services.transfers import views as transfer_views
from services.transfers.item_views import words_of
from simulator import Fault
from tests.integration.blueprints.test_routes_and_permissions import ROUTES
from tests.support import matters
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member
from tests.support.routes import ADMIN, Route
from tests.support.servers import connect, make_server
from tests.support.smtp import mail_server
from tests.support.transfer_rows import make_transfer
from tests.support.transfers import Desk, carry, get, got_document, items_of, versions

SERVER, LIBRARY, WORKSPACE, USER = "Canaryserver", "Canarylibrary", "Canaryworkspace", "Canaryuser"
REMOTE_DOCUMENT = "Canarydocument"
MATTER, OWN_DOCUMENT = "Canarymatter", "Canarylease"
OF_THE_SERVER = (SERVER, LIBRARY, WORKSPACE, USER, REMOTE_DOCUMENT, "canary.test", "104512")
OF_THE_MATTER = (MATTER, OWN_DOCUMENT)
RECEIPT = {
    "id": f"{LIBRARY}!104512.3",
    "library": LIBRARY,
    "number": 104512,
    "version": 3,
    "full_name": f"{REMOTE_DOCUMENT}.docx",
    "url": f"https://canary.test/{LIBRARY}!104512.3",
}
QUESTION = {
    "kind": "moved_on",
    "ours": {"version": 1, "name": "Lease.docx", "size": 5, "who": "Lea", "when": None},
    "theirs": {
        "id": f"{LIBRARY}!104512.4",
        "reference": f"{LIBRARY} 104512 v4",
        "version": 4,
        "name": REMOTE_DOCUMENT,
        "size": 5,
        "who": USER,
        "when": None,
        "url": "https://canary.test/4",
        "holder": USER,
        "since": None,
    },
}
CHECKED_OUT = f"The document is checked out in iManage by {USER}. {LIBRARY}!104512.3 in {WORKSPACE}."


class World:
    """A matter with a restricted server's traces in it, and the three who may not know of that server."""

    def __init__(self, app: Flask) -> None:
        self.lead = make_member("Lea Lead")
        self.people = {
            "guest": make_member("Gail Guest", is_guest=True, organisation="Bank"),
            "unlisted": make_member("Una Unlisted"),
            "removed": make_member("Rhea Removed"),
        }
        lead = actor_of(self.lead)
        self.matter_id = matters.open_matter(
            lead,
            MATTER,
            viewer=self.people["guest"],
            editor=self.people["unlisted"],
            editor_2=self.people["removed"],
        )
        self.document_id = matters.add_document(lead, self.matter_id, f"{OWN_DOCUMENT}.docx")
        self.server = make_server(SERVER, url="https://canary.test", is_enabled=True, is_restricted=True)
        with unit_of_work() as writing:
            writing.add(
                Link(
                    server_id=self.server.id,
                    document_id=self.document_id,
                    version_id=matters.current_version(self.document_id),
                    direction="got",
                    library=LIBRARY,
                    library_key=LIBRARY.casefold(),
                    number=104512,
                    version=3,
                    name=REMOTE_DOCUMENT,
                    url=RECEIPT["url"],
                    member_id=self.lead.id,
                    latest_version=4,
                )
            )
        self.transfers = [
            transfer_id for who in ("unlisted", "removed") for transfer_id in self._transfers_of(who)
        ]
        lead = actor_of(self.lead)
        entry = closing_index.EntryCommand("Deed", is_heading=False, document_id=self.document_id)
        closing_index.add(lead, self.matter_id, entry)
        self.index_row_id = closing_index.read(lead, self.matter_id).entries[0].id
        self._ids = [self._ids_of(transfer_id) for transfer_id in self.transfers]
        self.browsers = {name: Browser(app).sign_in(member) for name, member in self.people.items()}
        participants.remove(lead, self.matter_id, self.people["removed"].id)

    def _transfers_of(self, who: str) -> list[uuid.UUID]:
        member = self.people[who]
        connect(self.server, member)
        got = make_transfer(
            member.id,
            self.matter_id,
            self.server.id,
            ["done", "failed", "stopped", "waiting"],
            name=f"{REMOTE_DOCUMENT}.docx",
            source_id=f"{LIBRARY}!104512.3",
            receipt=RECEIPT,
            error_code="transfer.checked_out",
            error_sentence=CHECKED_OUT,
            next_step=f"Ask {USER}.",
            warnings=[f"client: {WORKSPACE} has no such number"],
        )
        over = make_transfer(
            member.id,
            self.matter_id,
            self.server.id,
            ["failed"],
            name=f"{REMOTE_DOCUMENT}.docx",
            source_id=f"{LIBRARY}!104512.3",
            error_code="imanage.rejected",
            error_sentence=f"iManage did not accept this. It says: {LIBRARY}: {WORKSPACE}.",
        )
        saved = make_transfer(
            member.id,
            self.matter_id,
            self.server.id,
            ["needs_decision"],
            kind="save",
            name=f"{OWN_DOCUMENT}.docx",
            document_id=self.document_id,
            question=QUESTION,
        )
        with unit_of_work() as writing:
            for item in writing.query(TransferItem).filter_by(transfer_id=got, state="done"):
                item.name, item.document_id = f"{OWN_DOCUMENT}.docx", self.document_id
        return [got, over, saved]

    def addresses(self, route: Route) -> list[str]:
        """The route's address for each transfer that there is."""
        return sorted({route.path.format(**ids) for ids in self._ids})

    def _ids_of(self, transfer_id: uuid.UUID) -> dict[str, uuid.UUID]:
        absent = ("removal", "package", "invitation", "run", "group", "repoint")
        return dict.fromkeys(absent, uuid.uuid4()) | {
            "matter": self.matter_id,
            "index_row": self.index_row_id,
            "document": self.document_id,
            "version": matters.current_version(self.document_id),
            "server": self.server.id,
            "member": self.lead.id,
            "transfer": transfer_id,
            "item": items_of(transfer_id)[0].id,
        }


@pytest.fixture
def world(app: Flask, database: None) -> World:
    return World(app)


def said(browser: Browser, route: Route, address: str) -> str:
    answer = (
        browser.get(address, htmx=route.is_fragment)
        if route.method == "GET"
        else browser.post(address, route.data, htmx=route.is_fragment)
    )
    text = f"{answer.headers} {answer.get_data().decode(errors='replace')}"
    answer.close()
    return text


@pytest.mark.parametrize("person", ["guest", "unlisted", "removed"])
@pytest.mark.parametrize("is_enabled", [True, False], ids=["on", "off"])
def test_no_route_names_what_a_viewer_may_not_know(world: World, person: str, is_enabled: bool) -> None:
    with unit_of_work() as writing:
        writing.get_one(Server, world.server.id).is_enabled = is_enabled
    secrets = (*OF_THE_SERVER, *(OF_THE_MATTER if person == "removed" else ()))
    browser = world.browsers[person]
    leaks, looked_at = [], 0
    # What only looks comes first: a write may end what there is to be seen.
    for route in sorted(ROUTES, key=lambda each: each.method != "GET"):
        if route.endpoint in {"auth.sign_out", "static"}:
            continue
        if route.who is ADMIN and not is_enabled:
            continue  # refused before anything is read, so that once is enough
        for address in world.addresses(route):
            text = said(browser, route, address)
            looked_at += 1
            leaks += [f"{route.method} {address}: {name}" for name in secrets if name in text]
    assert leaks == []
    assert looked_at > (len(ROUTES) if is_enabled else sum(route.who is not ADMIN for route in ROUTES))


def test_who_may_know_reads_it(world: World) -> None:
    """The same pages, to somebody for whom the server is there: the test above looks where there is something."""
    with unit_of_work() as writing:
        writing.get_one(Server, world.server.id).is_restricted = False
    got, _over, saved = world.transfers[:3]
    browser = world.browsers["unlisted"]
    page = browser.page(f"/transfers/{got}")
    for name in (LIBRARY, USER, WORKSPACE, REMOTE_DOCUMENT, "canary.test"):
        assert name in page.html
    assert USER in browser.page(f"/transfers/{saved}").html
    assert LIBRARY in browser.get(f"/transfers/{got}/results.csv").get_data(as_text=True)
    assert LIBRARY in browser.page(f"/documents/{world.document_id}").html


def test_a_mail_names_nothing_that_its_reader_may_not_know(world: World) -> None:
    unlisted, removed = world.transfers[1], world.transfers[4]
    with unit_of_work() as writing:
        mails = [Mail(transfer_id=transfer_id) for transfer_id in (unlisted, removed)]
        writing.add_all(mails)
    with mail_server():
        message = transfer_mail.compose(mails[0].id).as_string()
        assert [name for name in OF_THE_SERVER if name in message] == []
        with pytest.raises(NotToBeSentError):
            transfer_mail.compose(mails[1].id)


@pytest.mark.parametrize(
    ("change", "label", "may_use", "may_know"),
    [
        (lambda server: None, ONLY_SERVER, False, False),
        (lambda server: setattr(server, "is_restricted", False), ONLY_SERVER, True, True),
        (
            lambda server: (setattr(server, "is_restricted", False), setattr(server, "is_enabled", False)),
            ONLY_SERVER,
            False,
            True,
        ),
    ],
    ids=["restricted", "open", "off"],
)
def test_the_one_answer(
    world: World, change: Callable[[Server], object], label: str, may_use: bool, may_know: bool
) -> None:
    with unit_of_work() as writing:
        change(writing.get_one(Server, world.server.id))
    known = known_to(actor_of(world.people["unlisted"]))
    server_id = world.server.id
    assert (known.label(server_id), known.may_use(server_id), known.may_know(server_id)) == (
        label,
        may_use,
        may_know,
    )
    guest = known_to(actor_of(world.people["guest"]))
    assert (guest.usable, guest.off) == ((), ())


def test_of_two_servers_each_has_its_name(world: World) -> None:
    """Where both are open to the member: with one of them on, neither has a name to choose by."""
    second = make_server("Paris DMS")
    with unit_of_work() as writing:
        first = writing.get_one(Server, world.server.id)
        first.is_restricted = False
    known = known_to(actor_of(world.people["unlisted"]))
    assert (known.label(world.server.id), known.label(second.id)) == (ONLY_SERVER, ONLY_SERVER)
    with unit_of_work() as writing:
        writing.get_one(Server, second.id).is_enabled = True
    known = known_to(actor_of(world.people["unlisted"]))
    assert (known.label(world.server.id), known.label(second.id)) == (SERVER, "Paris DMS")


def test_a_removed_participant_has_no_news_of_the_matter(world: World) -> None:
    removed = actor_of(world.people["removed"])
    rows = transfer_views.recent(removed).rows
    assert rows == ()
    assert "cp-ended" not in world.browsers["removed"].page("/matters").html
    assert session().get(Participant, (world.matter_id, removed.id)) is None


def test_what_a_real_get_leaves_behind_names_no_server(desk: Desk) -> None:
    """What everybody in the matter reads of it: the version's note, and the error on the row of one that failed."""
    with unit_of_work() as writing:
        writing.get_one(Server, desk.server.id).name = SERVER
    make_server("Paris DMS", is_enabled=True)
    got_document(desk)
    assert [version.note for version in versions()] == [""]
    (item,) = items_of(get(desk, desk.practice.world.named("Disclosure letter").id()))
    desk.practice.faults.add(Fault("status", path="/documents/", status=403, times=None))
    failed = carry(item.id)
    assert failed.state == "failed" and failed.error_sentence.startswith("You do not have permission")
    assert SERVER not in failed.error_sentence
    assert words_of(failed, is_known=False).sentence == NOT_FOR_YOU


def test_a_sign_in_that_ended_is_said_without_the_server(desk: Desk) -> None:
    with unit_of_work() as writing:
        writing.get_one(Server, desk.server.id).name = SERVER
        writing.query(Connection).delete()
    make_server("Paris DMS", is_enabled=True)
    (item,) = items_of(get(desk, desk.practice.world.named("Disclosure letter").id()))
    waiting = carry(item.id)
    assert (waiting.state, SERVER in waiting.error_sentence) == ("needs_sign_in", False)
