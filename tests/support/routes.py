"""A small firm for requests to every route as every kind of person, and the ids in the addresses."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from flask import Flask

from models import (
    ApplicationPackage,
    Group,
    Invitation,
    Member,
    Repoint,
    ServerCheck,
    ServerRemoval,
    Transfer,
    TransferItem,
    utcnow,
)
from services.core.unit_of_work import unit_of_work
from services.matters import closing_index
from tests.support import matters
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member
from tests.support.servers import make_server

PERSONS = ("nobody", "guest", "outsider", "admin", "lead")


@dataclass(frozen=True)
class Who:
    """Who is let in: the mark on the view, and which of the signed-in persons are answered otherwise."""

    mark: str
    otherwise: dict[str, int]


# Nobody is led to sign in by a page that is not public, and told so where they send something.
# The guest is a viewer of the one matter that there is, the lead leads it; outsider and admin are members of the firm
# who take no part in it.
PUBLIC = Who("public", {})
MEMBER = Who("member", {})
STAFF = Who("staff", {"guest": 404})
ADMIN = Who("admin", {"guest": 403, "outsider": 403, "lead": 403})
NOT_YET = Who("public", {"nobody": 200})
NO_GUEST = Who("public", {"guest": 404})
IN_MATTER = Who("member", {"outsider": 404, "admin": 404})
MATTER_STAFF = Who("staff", {"guest": 404, "outsider": 404, "admin": 404})
ONLY_GUESTS = Who("member", {"outsider": 404, "admin": 404, "lead": 404})
MATTER_EDITOR = Who("member", {"guest": 403, "outsider": 404, "admin": 404})


@dataclass(frozen=True)
class Route:
    """One line of the table. `answer` is what a person who is let in gets.

    Without `data` the form is empty. A fragment is asked for as htmx does.
    """

    method: str
    path: str
    endpoint: str
    who: Who
    answer: int
    data: dict[str, str] = field(default_factory=dict)
    is_fragment: bool = False

    def expected(self, person: str) -> int:
        if person == "nobody" and self.who.mark != "public":
            return 401 if self.is_fragment or self.method == "POST" else 302
        return self.who.otherwise.get(person, self.answer)

    def __str__(self) -> str:
        return f"{self.method} {self.endpoint}"


@dataclass(frozen=True)
class Firm:
    """One matter with a document and a transfer, one server, and a browser for each person."""

    browsers: dict[str, Browser]
    places: dict[str, uuid.UUID]

    def ask(self, route: Route, person: str, *, token: bool = True) -> int:
        browser, url = self.browsers[person], route.path.format(**self.places)
        if route.method == "GET":
            answer = browser.get(url, htmx=route.is_fragment)
        elif token:
            answer = browser.post(url, route.data)
        else:
            answer = browser.client.post(url, data=route.data)
        answer.close()
        return answer.status_code


def make_firm(app: Flask) -> Firm:
    people = {
        "guest": make_member("Gail Guest", is_guest=True, organisation="Bank"),
        "outsider": make_member("Otto Outside"),
        "admin": make_member("Ada Admin", is_admin=True),
        "lead": make_member("Lea Lead"),
    }
    browsers = {name: Browser(app).sign_in(member) for name, member in people.items()}
    lead = actor_of(people["lead"])
    matter_id = matters.open_matter(lead, viewer=people["guest"])
    document_id = matters.add_document(lead, matter_id)
    server_id = make_server(is_enabled=True).id
    transfer_id, item_id = _transfer(people["lead"], matter_id, server_id)
    closing_index.add(lead, matter_id, closing_index.EntryCommand("Deed", is_heading=False, document_id=None))
    places = {
        "index_row": closing_index.read(lead, matter_id).entries[0].id,
        "matter": matter_id,
        "document": document_id,
        "version": matters.current_version(document_id),
        "server": server_id,
        "member": people["guest"].id,
        "transfer": transfer_id,
        "item": item_id,
        "removal": _removal(),
        "package": _package(),
        "invitation": _invitation(),
        "run": _run(server_id),
        "group": _group(),
        "repoint": _repoint(server_id),
    }
    return Firm({"nobody": Browser(app), **browsers}, places)


def _transfer(member: Member, matter_id: uuid.UUID, server_id: uuid.UUID) -> tuple[uuid.UUID, uuid.UUID]:
    with unit_of_work() as writing:
        transfer = Transfer(
            request_key=uuid.uuid4(),
            kind="get",
            matter_id=matter_id,
            server_id=server_id,
            server_name="London DMS",
            member_id=member.id,
        )
        writing.add(transfer)
        writing.flush()
        item = TransferItem(
            transfer_id=transfer.id, position=1, name="Lease", state="needs_sign_in", target="new_document"
        )
        writing.add(item)
        writing.flush()
        return transfer.id, item.id


def _group() -> uuid.UUID:
    with unit_of_work() as writing:
        row = Group(name="Deal team", name_key="deal team")
        writing.add(row)
        writing.flush()
        return row.id


def _run(server_id: uuid.UUID) -> uuid.UUID:
    with unit_of_work() as writing:
        row = ServerCheck(server_id=server_id, started_by="Ada", finished_at=utcnow(), state="healthy")
        writing.add(row)
        writing.flush()
        return row.id


def _repoint(server_id: uuid.UUID) -> uuid.UUID:
    """Done a moment ago, and fit to be undone but for the transfer."""
    target_id = make_server("New DMS").id
    with unit_of_work() as writing:
        row = Repoint(
            source_id=server_id,
            target_id=target_id,
            libraries={},
            samples=[],
            link_count=0,
            previewed_by="Ada",
            moved_by="Ada",
            moved_at=utcnow(),
        )
        writing.add(row)
        writing.flush()
        return row.id


def _removal() -> uuid.UUID:
    with unit_of_work() as writing:
        row = ServerRemoval(
            name="Old DMS", url="https://old.test", removed_by="Ada", link_count=0, links_csv="x\r\n"
        )
        writing.add(row)
        writing.flush()
        return row.id


def _invitation() -> uuid.UUID:
    with unit_of_work() as writing:
        row = Invitation(
            token_hash="-", email="i@x.test", email_key="i@x.test", invited_by="Ada", expires_at=utcnow()
        )
        writing.add(row)
        writing.flush()
        return row.id


def _package() -> uuid.UUID:
    """Made by a member who has been removed."""
    with unit_of_work() as writing:
        row = ApplicationPackage(
            request_key=uuid.uuid4(),
            application_id="counterpart",
            name="Counterpart",
            publisher="Counterpart",
            organization="Firm",
            redirect_url="https://old.test/auth/v0/oauth2/authorized",
            key_hash="0" * 64,
            secret_hash="1" * 64,
            open_until=utcnow(),
            made_by="Ada",
        )
        writing.add(row)
        writing.flush()
        return row.id
