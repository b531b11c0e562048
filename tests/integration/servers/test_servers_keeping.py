"""A server on its page: the switch, name and credentials, removal, and who may do any of it."""

from __future__ import annotations

import csv
import io
import re
import uuid

import pytest
from sqlalchemy import func, select

from models import (
    AuditEvent,
    Connection,
    Document,
    Link,
    Server,
    ServerConcurrency,
    ServerMember,
    ServerRemoval,
    Transfer,
    db,
)
from services.access.server_access import available_to
from services.core.unit_of_work import unit_of_work
from services.servers import transport
from tests.support.pages import Browser, read
from tests.support.people import actor_of, make_member
from tests.support.servers import connect, make_link, make_running_transfer, make_server

SERVERS = "/admin/integrations/imanage"


def url_of(server: Server, *more: str) -> str:
    return "/".join((SERVERS, str(server.id), *more))


def fresh(server: Server) -> Server:
    db.session.rollback()
    db.session.refresh(server)
    return server


def events() -> list[tuple[str, str]]:
    db.session.rollback()
    rows = db.session.scalars(select(AuditEvent).order_by(AuditEvent.at))
    return [(row.action, row.subject) for row in rows]


@pytest.mark.parametrize(
    ("at_once", "reason", "shown"),
    [
        (2, "growing", "16, today 2 It rises while documents wait and iManage answers quickly. Since"),
        (5, "refused", "16, today 5 With 6, iManage refused calls. Since"),
        (5, "slow", "16, today 5 With 6, iManage answered more slowly. Since"),
        (16, "growing", "Documents at once 16 Documents a minute No limit Members signed in"),
        (
            None,
            "",
            "16, today 2 It rises while documents wait and iManage answers quickly. Documents a minute",
        ),
    ],
)
def test_its_page_says_how_many_documents_move_today_and_why(
    admin: Browser, at_once: int | None, reason: str, shown: str
) -> None:
    server = make_server()
    if at_once is not None:
        with unit_of_work() as writing:
            writing.add(ServerConcurrency(server_id=server.id, at_once=at_once, too_many=6, reason=reason))
    assert shown in " ".join(admin.page(url_of(server)).text.split())


def test_the_list_is_empty_and_says_what_to_do(admin: Browser) -> None:
    page = admin.page(SERVERS)
    assert "No iManage servers yet" in page.text
    assert "Press Add server" in page.text


def test_the_list_shows_name_kind_host_state_and_restriction(admin: Browser) -> None:
    make_server("London", url="https://london.firm.test", is_enabled=True)
    paris = make_server("Paris", kind="cloud", url="https://firm.cloudimanage.com", is_restricted=True)
    members = [make_member() for _ in range(3)]
    with unit_of_work() as session:
        session.add_all(ServerMember(server_id=paris.id, member_id=member.id) for member in members)
    text = admin.page(SERVERS).text
    assert re.search(r"London\s+On-premise\s+london\.firm\.test\s+On\s+Not checked\s+All members", text)
    assert re.search(
        r"Paris\s+Cloud iManage\s+firm\.cloudimanage\.com\s+Off\s+Not checked\s+Restricted \(3\)", text
    )


def test_the_page_shows_what_is_fixed_and_what_to_do_instead(admin: Browser) -> None:
    server = make_server(api_url="https://api.firm.test")
    page = admin.page(url_of(server))
    assert server.url in page.text
    assert "https://api.firm.test" in page.text
    assert "add the new address as another server and re-point this one to it" in page.text
    assert "http://127.0.0.1:8000/auth/v0/oauth2/authorized" in page.text
    assert "the-first-secret" not in page.html
    assert server.client_secret not in page.html


def test_the_switch_makes_it_available_and_takes_it_back(admin: Browser) -> None:
    server = make_server()
    member = actor_of(make_member())
    assert available_to(member) == ()
    on = {"enabled": "1", "sure": "1"}
    answer = admin.post(url_of(server, "enabled"), on, htmx=True)
    assert 'aria-checked="true"' in read(answer, whole=False).html
    assert "Done: Switch the server on" in read(answer, whole=False).text
    assert [each.id for each in available_to(member)] == [server.id]
    assert admin.post(url_of(server, "enabled"), {"enabled": "1"}).status_code == 303
    assert admin.post(url_of(server, "enabled"), {"enabled": "0"}).status_code == 303
    db.session.rollback()
    assert available_to(member) == ()
    assert events() == [("server.enabled", "London DMS"), ("server.disabled", "London DMS")]
    assert admin.post(url_of(server, "enabled"), {"enabled": "perhaps"}).status_code == 400


def test_switching_off_keeps_links_and_sign_ins(admin: Browser) -> None:
    server = make_server(is_enabled=True)
    member = make_member()
    make_link(server, member)
    connect(server, member)
    admin.post(url_of(server, "enabled"), {"enabled": "0"})
    assert db.session.scalar(select(func.count()).select_from(Link)) == 1
    assert db.session.scalar(select(func.count()).select_from(Connection)) == 1


def test_a_server_without_credentials_cannot_be_switched_on(admin: Browser) -> None:
    server = make_server(kind="cloud", client_id="", client_secret="")
    assert "Enter the Client ID and Client Secret first." in admin.page(url_of(server)).html
    answer = admin.post(url_of(server, "enabled"), {"enabled": "1"})
    assert answer.status_code == 409
    assert "nobody could sign in to it" in read(answer, whole=True).text
    assert not fresh(server).is_enabled


def edit(server: Server, **more: str) -> dict[str, str]:
    version = fresh(server).changed_at.isoformat()
    return {"version": version, "name": server.name} | more


def test_its_name_and_limit_can_be_changed_and_nothing_else_there(admin: Browser) -> None:
    server = make_server()
    sent = edit(server, name="London Work", at_once="7", client_id="other", client_secret="another-secret")
    assert admin.post(url_of(server, "edit"), sent).status_code == 303
    row = fresh(server)
    assert (row.name, row.at_once, row.client_id) == ("London Work", 7, "counterpart")
    assert transport.credentials(row).client_secret == "the-first-secret"
    assert "client" not in admin.page(url_of(server, "edit"), htmx=True).html.lower()
    told = db.session.scalars(select(AuditEvent)).one()
    assert told.detail == {"name_before": "London DMS", "at_once": 7, "pace": None}


def test_a_pace_is_optional_and_told_to_the_security_team(admin: Browser) -> None:
    server = make_server()
    assert "No limit" in admin.page(url_of(server)).text
    refused = admin.post(url_of(server, "edit"), edit(server, pace="0"))
    assert "Enter a number from 1 to 600." in read(refused, whole=True).text
    assert admin.post(url_of(server, "edit"), edit(server, pace="30")).status_code == 303
    assert fresh(server).pace == 30
    assert "30 for each member" in admin.page(url_of(server)).text
    assert (
        "Each member is limited to 30 documents a minute." in admin.page(url_of(server, "request-sheet")).text
    )
    assert admin.post(url_of(server, "edit"), edit(server)).status_code == 303
    assert fresh(server).pace is None


def test_what_is_fixed_cannot_be_changed_by_a_direct_request(admin: Browser) -> None:
    server = make_server()
    before = (server.kind, server.url, server.api_url, server.subdomain)
    evil = {"url": "https://evil.test", "api_url": "https://evil.test", "kind": "cloud", "subdomain": "evil"}
    assert admin.post(url_of(server, "edit"), edit(server, **evil)).status_code == 303
    fresh(server)
    assert (server.kind, server.url, server.api_url, server.subdomain) == before


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": ""}, "Enter a name."),
        ({"name": "pARIS"}, "There is already a server with this name"),
        ({"at_once": "65"}, "Enter a number from 1 to 64."),
    ],
)
def test_a_bad_change_is_refused_at_its_field(admin: Browser, change: dict[str, str], sentence: str) -> None:
    server = make_server()
    make_server("Paris")
    answer = admin.post(url_of(server, "edit"), edit(server, **change), htmx=True)
    assert answer.status_code == 422
    assert sentence in read(answer, whole=False).text
    assert fresh(server).name == "London DMS"


def test_its_own_name_in_other_letter_case_is_free(admin: Browser) -> None:
    server = make_server()
    assert admin.post(url_of(server, "edit"), edit(server, name="LONDON dms")).status_code == 303


def test_a_change_made_meanwhile_is_noticed_and_can_be_saved_over(admin: Browser) -> None:
    server = make_server()
    opened_before = edit(server, name="Mine")
    admin.post(url_of(server, "edit"), edit(server, name="Theirs"))
    answer = admin.post(url_of(server, "edit"), opened_before, htmx=True)
    page = read(answer, whole=False)
    assert answer.status_code == 422
    assert "Someone else has changed this server, now named “Theirs”" in page.text
    assert page.value_of("name") == "Mine"
    again = opened_before | {"version": page.value_of("version")}
    assert admin.post(url_of(server, "edit"), again).status_code == 303
    assert fresh(server).name == "Mine"


def test_removal_names_its_consequences_and_asks_for_the_name(admin: Browser) -> None:
    server = make_server(is_enabled=True)
    member = make_member("Ada Byron")
    make_link(server, member, name="=cmd()|A1.docx")
    make_link(server, member)
    connect(server, member)
    make_running_transfer(server, member)
    popup = admin.page(url_of(server, "remove"), htmx=True)
    assert "2 links between documents" in popup.text
    assert "1 member is signed out of it" in popup.text
    assert "1 running transfer stops" in popup.text
    assert "Get into “Harlow v Finch” by Ada Byron" in popup.text
    assert "To confirm, enter: London DMS" in popup.text
    wrong = admin.post(url_of(server, "remove"), {"typed_name": "london"}, htmx=True)
    assert wrong.status_code == 422
    assert read(wrong, whole=False).value_of("typed_name") == "london"
    assert db.session.get(Server, server.id) is not None

    server_id = server.id
    done = admin.post(url_of(server, "remove"), {"typed_name": " London DMS "}, htmx=True)
    assert done.headers["HX-Redirect"] == SERVERS
    db.session.rollback()
    db.session.expire_all()
    assert db.session.get(Server, server_id) is None
    left = {model: db.session.scalar(select(func.count()).select_from(model)) for model in (Link, Connection)}
    assert left == {Link: 0, Connection: 0}
    assert db.session.scalar(select(func.count()).select_from(Document)) == 2
    assert db.session.scalars(select(Transfer)).one().server_id is None
    told = db.session.scalars(select(AuditEvent)).one()
    assert told.action == "server.removed"
    assert {name: told.detail[name] for name in ("links", "signed_in", "running_transfers")} == {
        "links": 2,
        "signed_in": 1,
        "running_transfers": 1,
    }

    removal = db.session.scalars(select(ServerRemoval)).one()
    assert "Removed servers" in admin.page(SERVERS).text
    file = admin.get(f"{SERVERS}/removed/{removal.id}/links.csv")
    assert file.headers["Content-Type"].startswith("text/csv")
    assert file.headers["Content-Disposition"].startswith("attachment")
    rows = list(csv.reader(io.StringIO(file.get_data().decode("utf-8-sig"))))
    assert [row[3] for row in rows[1:]] == ["'=cmd()|A1.docx", "Lease.docx"]
    assert rows[2][5:8] == ["Active", "104512", "3"]
    assert rows[2][10] == "Ada Byron"


def test_a_server_without_links_goes_at_one_press(admin: Browser) -> None:
    server = make_server()
    popup = admin.page(url_of(server, "remove"), htmx=True)
    assert "There are none" in popup.text
    assert "To confirm" not in popup.text
    assert admin.post(url_of(server, "remove")).status_code == 303
    assert "“London DMS” has been removed." in admin.page(SERVERS).text
    assert admin.post(url_of(server, "remove")).status_code == 404


def test_a_link_made_after_the_pop_up_was_opened_still_asks_for_the_name(admin: Browser) -> None:
    server = make_server()
    make_link(server, make_member())
    answer = admin.post(url_of(server, "remove"), {}, htmx=True)
    assert answer.status_code == 422
    assert "To confirm, enter: London DMS" in read(answer, whole=False).text


ROUTES = [
    ("GET", ""),
    ("GET", "/new"),
    ("POST", "/new"),
    ("POST", "/new/fields"),
    ("GET", "/{server}"),
    ("POST", "/{server}/enabled"),
    ("GET", "/{server}/edit"),
    ("POST", "/{server}/edit"),
    ("GET", "/{server}/credentials"),
    ("POST", "/{server}/credentials"),
    ("POST", "/{server}/redirect-url"),
    ("GET", "/{server}/remove"),
    ("POST", "/{server}/remove"),
    ("POST", "/{server}/restriction"),
    ("POST", "/{server}/restriction/search"),
    ("POST", "/{server}/restriction/chosen"),
    ("GET", "/removed/{other}/links.csv"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_members_and_guests_are_refused_everywhere(browser: Browser, method: str, path: str) -> None:
    server = make_server()
    url = SERVERS + path.format(server=server.id, other=uuid.uuid4())
    data = {"enabled": "1", "typed_name": server.name}

    def ask() -> int:
        return (browser.get(url) if method == "GET" else browser.post(url, data)).status_code

    assert ask() == (302 if method == "GET" else 401)
    for person in (make_member(), make_member(is_guest=True), make_member(is_guest=True, is_admin=True)):
        browser.sign_in(person)
        assert ask() == 403
    assert not fresh(server).is_enabled


@pytest.mark.parametrize(("method", "path"), [each for each in ROUTES if "{" in each[1]])
def test_an_unknown_server_is_a_page_not_found(admin: Browser, method: str, path: str) -> None:
    url = SERVERS + path.format(server=uuid.uuid4(), other=uuid.uuid4())
    answer = admin.get(url) if method == "GET" else admin.post(url, {"enabled": "1", "name": "X"})
    assert answer.status_code == 404


def test_a_write_without_its_token_is_refused(admin: Browser) -> None:
    server = make_server()
    assert admin.client.post(url_of(server, "enabled"), data={"enabled": "1"}).status_code == 400
    assert not fresh(server).is_enabled
