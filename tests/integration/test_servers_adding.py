"""Adding a server: what is taken, what is refused with which sentence, and that nothing typed is lost."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from models import AuditEvent, Server, db
from services import house, remote, server_views, servers, vault
from services.errors import Invalid
from services.servers import NewServer
from tests.support.pages import Browser, read
from tests.support.people import actor_of, make_member
from tests.support.servers import Names, make_server

NEW = "/admin/integrations/imanage/new"
PUBLIC = "93.184.216.34"
SECRET = "k33p-me-Secret"


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Names:
    """Every host of these tests is known, apart from nowhere.firm.test; three lead where they must not."""
    names = Names(
        {
            "imanage.firm.test": [PUBLIC],
            "api.firm.test": ["10.1.2.3"],
            "inside.firm.test": ["192.168.4.20"],
            "cloudimanage.com": [PUBLIC],
            "firm.cloudimanage.com": [PUBLIC],
            "sly.firm.test": [PUBLIC, "169.254.169.254"],
            "private.cloudimanage.com": ["10.0.0.9"],
        }
    )
    real = socket.getaddrinfo
    url = request.getfixturevalue("settings").database_url
    database_host = make_url(url).host

    def answer(host: str, *arguments: object, **more: object) -> object:
        if host == database_host:
            return real(host, *arguments, **more)
        return names.getaddrinfo(host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return names


@pytest.fixture
def admin(browser: Browser) -> Browser:
    return browser.sign_in(make_member("Margaret Okafor", is_admin=True))


@pytest.fixture
def strict(app: Flask, database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of a real installation: https only, port 443, no network named."""
    strict_settings = replace(house.house().settings, imanage_allow_http=False, imanage_networks=())
    monkeypatch.setattr(house, "_house", replace(house.house(), settings=strict_settings))


def on_premise(**more: str) -> dict[str, str]:
    return {
        "kind": "on_premise",
        "name": "London DMS",
        "url": "https://imanage.firm.test",
        "api_url": "",
        "client_id": "counterpart",
        "client_secret": SECRET,
    } | more


def cloud(**more: str) -> dict[str, str]:
    return {
        "kind": "cloud",
        "name": "Firm Cloud",
        "subdomain": "firm",
        "client_id": "counterpart",
        "client_secret": SECRET,
    } | more


def count() -> int:
    return db.session.scalar(select(func.count()).select_from(Server)) or 0


def test_an_on_premise_server_is_added_off_with_its_secret_sealed(admin: Browser) -> None:
    answer = admin.post(
        NEW,
        on_premise(url=" https://IMANAGE.firm.test/work/web ", api_url="https://api.firm.test"),
        htmx=True,
    )
    row = db.session.scalars(select(Server)).one()
    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == f"/admin/integrations/imanage/{row.id}"
    assert (row.url, row.api_url) == ("https://imanage.firm.test", "https://api.firm.test")
    assert not row.is_enabled
    assert not row.is_restricted
    assert SECRET not in row.client_secret
    assert remote.credentials(row).client_secret == SECRET
    assert remote.endpoints(row).browser == "https://imanage.firm.test"
    assert remote.endpoints(row).api == "https://api.firm.test"
    page = admin.page(f"/admin/integrations/imanage/{row.id}")
    assert "It is off until you switch it on." in page.text
    assert 'We left off "/work/web": only the host is needed.' in page.text
    assert SECRET not in page.html
    told = db.session.scalars(select(AuditEvent)).one()
    assert (told.action, told.server_id) == ("server.added", row.id)
    assert SECRET not in str(told.detail)


def test_without_htmx_the_form_is_a_page_and_its_answer_a_redirect(admin: Browser) -> None:
    assert "Add server" in admin.page(NEW).text
    assert admin.post(NEW, on_premise()).status_code == 303
    refused = admin.post(NEW, on_premise(name=""))
    assert refused.status_code == 422
    assert "Enter a name." in read(refused, whole=True).text


def test_cloud_needs_only_a_name_where_the_installation_has_a_registration(
    admin: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = replace(house.house().settings, cloud_client_id="house-id", cloud_client_secret="house-secret")
    monkeypatch.setattr(house, "_house", replace(house.house(), settings=ours))
    page = admin.page(NEW, htmx=True)
    assert "Client Secret" not in page.text
    assert admin.post(NEW, {"kind": "cloud", "name": "Cloud", "subdomain": ""}).status_code == 303
    row = db.session.scalars(select(Server)).one()
    assert row.url == row.api_url == "https://cloudimanage.com"
    assert remote.credentials(row).client_id == "house-id"
    admin.post(f"/admin/integrations/imanage/{row.id}/enabled", {"enabled": "1"})
    db.session.expire_all()
    assert row.is_enabled


def test_cloud_asks_for_credentials_where_the_installation_has_none(admin: Browser) -> None:
    page = admin.page(NEW, htmx=True)
    assert "Subdomain" in page.text
    assert "Client Secret" in page.text
    refused = read(admin.post(NEW, cloud(client_secret=""), htmx=True), whole=False)
    assert "Enter the Client Secret that belongs to the Client ID." in refused.text
    assert admin.post(NEW, cloud(subdomain="FIRM")).status_code == 303
    row = db.session.scalars(select(Server)).one()
    assert (row.url, row.subdomain) == ("https://firm.cloudimanage.com", "firm")


def test_the_fields_follow_the_kind_and_keep_what_was_typed(admin: Browser) -> None:
    typed = {"name": "X", "url": "https://a.firm.test", "subdomain": "firm", "client_id": "abc"}
    own = read(admin.post(f"{NEW}/fields", {"kind": "on_premise", **typed}, htmx=True), whole=False)
    assert "API URL" in own.text
    assert [own.value_of(name) for name in ("url", "subdomain", "client_id")] == [
        "https://a.firm.test",
        "firm",
        "abc",
    ]
    ours = read(admin.post(f"{NEW}/fields", {"kind": "cloud", **typed}, htmx=True), whole=False)
    assert "Subdomain" in ours.text
    assert [ours.value_of(name) for name in ("url", "subdomain")] == ["https://a.firm.test", "firm"]


URLS = [
    ("", "Type the address of the iManage server."),
    ("   ", "Type the address of the iManage server."),
    ("http://imanage.firm.test", "Use https:// instead of http://"),
    ("ftp://imanage.firm.test", "must begin with https://"),
    ("javascript:alert(1)", "must begin with https://"),
    ("https://user:pw@imanage.firm.test", "Leave out the user name"),
    ("https://imanage.firm.test?x=1", "Leave off everything from the “?” on."),
    ("https://imanage.firm.test/#top", "Leave off everything from the “#” on."),
    ("https://imanage .firm.test", "a space or an invisible character"),
    ("https://imanage.firm\n.test", "a space or an invisible character"),
    ("https://imanage.firm\x00.test", "a space or an invisible character"),
    ("https://imanage.firm.test.", "Leave off the dot at the end"),
    ("https://xn--a.firm.test", "characters in it that a host name cannot have"),
    ("https://①②⑦.⓪.⓪.①/", "only look like letters or digits"),
    ("https://[::1]", "COUNTERPART_IMANAGE_NETWORKS"),
    ("https://[fd00:ec2::254]", "COUNTERPART_IMANAGE_NETWORKS"),
    ("https://2130706433", "four plain numbers"),
    ("https://0x7f000001", "four plain numbers"),
    ("https://localhost", "only has a meaning on one machine"),
    ("https://0.0.0.0", "COUNTERPART_IMANAGE_NETWORKS"),
    ("https://127.0.0.1", "COUNTERPART_IMANAGE_NETWORKS"),
    ("https://169.254.169.254/latest", "COUNTERPART_IMANAGE_NETWORKS"),
    ("https://sly.firm.test", "This host leads to an address that cannot be used."),
    ("https://imanage.firm.test:8443", "COUNTERPART_IMANAGE_PORTS"),
    ("https://imanage.firm.test:0", "The port must be a number from 1 to 65535."),
    (f"https://{'a' * 300}.test", "longer than a host name can be"),
    ("https://" + "a" * 2100, "too long"),
    ("imanage", "Type the host in full"),
]


@pytest.mark.parametrize("field", ["url", "api_url"])
@pytest.mark.parametrize(("typed", "sentence"), URLS)
def test_a_bad_url_gets_its_sentence_at_its_field_and_stays(
    admin: Browser, strict: None, field: str, typed: str, sentence: str
) -> None:
    if field == "api_url" and not typed.strip():
        typed, sentence = "https://", "The address has no host in it."
    answer = admin.post(NEW, on_premise(**{field: typed}), htmx=True)
    page = read(answer, whole=False)
    assert answer.status_code == 422
    assert sentence in page.text
    assert page.value_of(field).split() == typed.split()
    assert page.value_of("name") == "London DMS"
    assert page.value_of("client_id") == "counterpart"
    control = next(each for each in page.controls if each.get("name") == field)
    assert f"{field}-error" in control["aria-describedby"].split()
    assert SECRET not in page.html
    assert count() == 0


SUBDOMAINS = [
    ("firm.eu", "A subdomain is one word without dots."),
    ("firm.cloudimanage.com", "Leave off “cloudimanage.com”"),
    ("https://firm.cloudimanage.com", "not a URL"),
    ("my_firm", "underscore"),
    ("a" * 64, "at most 63 characters"),
    ("-firm", "cannot begin or end with a hyphen"),
    ("fi rm", "only letters a to z, digits and hyphens"),
    ("fürm", "only letters a to z, digits and hyphens"),
    ("<b>", "only letters a to z, digits and hyphens"),
    ("private", "Addresses of private networks are not allowed here."),
]


@pytest.mark.parametrize(("typed", "sentence"), SUBDOMAINS)
def test_a_bad_subdomain_gets_its_sentence_and_stays(
    admin: Browser, strict: None, typed: str, sentence: str
) -> None:
    answer = admin.post(NEW, cloud(subdomain=typed), htmx=True)
    page = read(answer, whole=False)
    assert answer.status_code == 422
    assert sentence in page.text
    assert page.value_of("subdomain") == typed
    assert page.value_of("name") == "Firm Cloud"
    assert count() == 0


NAMES = [
    ("", "Enter a name."),
    ("  \t ", "Enter a name."),
    ("x" * 300, "Use 100 characters or fewer. What you entered has 300."),
    ("<b>London</b>", "Leave out “<” and “>”"),
    ("London\u202eSMD", "a character that cannot be seen"),
    ("London\x00DMS", "a character that cannot be seen"),
    ("!!!", "Use at least one letter or digit."),
    ("\ufdfa" * 30, "too long to be compared"),
    ("ACTIVE dms", "A server with this name is there already"),
]


@pytest.mark.parametrize(("typed", "sentence"), NAMES)
def test_a_bad_name_gets_its_sentence_and_stays(admin: Browser, typed: str, sentence: str) -> None:
    make_server("Active DMS")
    answer = admin.post(NEW, on_premise(name=typed), htmx=True)
    page = read(answer, whole=False)
    assert answer.status_code == 422
    assert sentence in page.text
    assert page.value_of("name") == " ".join(typed.split())
    assert page.value_of("url") == "https://imanage.firm.test"
    assert "<b>London" not in page.html
    assert count() == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"client_id": ""}, "Enter the Client ID that iManage gave"),
        ({"client_id": "x" * 201}, "Use 200 characters or fewer."),
        ({"client_secret": ""}, "Enter the Client Secret that belongs"),
        ({"client_secret": "x" * 501}, "Use 500 characters or fewer."),
        ({"client_secret": "abc\x07def"}, "a character that cannot be seen"),
        ({"kind": "somewhere"}, "Choose Cloud iManage or On-premise."),
    ],
)
def test_other_fields_have_their_sentences(admin: Browser, change: dict[str, str], sentence: str) -> None:
    answer = admin.post(NEW, on_premise(**change), htmx=True)
    assert answer.status_code == 422
    assert sentence in read(answer, whole=False).text
    assert count() == 0


def test_every_field_speaks_at_once_and_the_secret_must_be_retyped(admin: Browser, strict: None) -> None:
    bad = on_premise(name="", url="ftp://x", api_url="https://[::1]", client_id="")
    page = read(admin.post(NEW, bad, htmx=True), whole=False)
    for sentence in ("Enter a name.", "must begin with https://", "IMANAGE_NETWORKS", "Enter the Client ID"):
        assert sentence in page.text
    assert "Type it again: for its safety it is not sent back to this page." in page.text


def test_a_refused_form_says_what_it_left_off(admin: Browser) -> None:
    bad = on_premise(name="", url="https://imanage.firm.test/work/login")
    page = read(admin.post(NEW, bad, htmx=True), whole=False)
    assert 'We left off "/work/login": only the host is needed.' in page.text
    assert page.value_of("url") == "https://imanage.firm.test/work/login"


def test_the_same_server_is_refused_however_it_is_written(admin: Browser) -> None:
    make_server("First", url="https://imanage.firm.test")
    page = read(admin.post(NEW, on_premise(url="HTTPS://ImAnage.firm.test:443/work"), htmx=True), whole=False)
    assert servers.server_rules.URL_TAKEN in page.text
    assert count() == 1


def test_each_host_is_looked_up_once_and_an_unknown_one_is_only_warned_of(
    admin: Browser, names: Names
) -> None:
    answer = admin.post(NEW, on_premise(url="https://nowhere.firm.test"))
    assert names.asked == ["nowhere.firm.test"]
    page = admin.page(answer.headers["Location"])
    assert "We could not find “nowhere.firm.test” from here." in page.text


def test_an_on_premise_server_may_stand_in_a_private_network(admin: Browser, strict: None) -> None:
    assert admin.post(NEW, on_premise(url="https://inside.firm.test")).status_code == 303


def test_confusing_names_and_hosts_are_warned_of(admin: Browser) -> None:
    make_server("London Archive")
    make_server("Paris", url="https://other.firm.test", api_url="https://api.firm.test")
    answer = admin.post(NEW, on_premise(api_url="https://api.firm.test"))
    text = admin.page(answer.headers["Location"]).text
    assert "“London Archive” begins with the same word." in text
    assert "“Paris” is on the same host." in text


@pytest.mark.parametrize("field", ["name", "url"])
def test_of_two_that_race_one_is_added_and_the_other_gets_a_sentence(
    app: Flask, database: None, names: Names, field: str
) -> None:
    """Both have seen that name and URL are free, and wait for the name service, before either writes."""
    names.known["b.firm.test"] = [PUBLIC]
    actor = actor_of(make_member(is_admin=True))
    first = NewServer("on_premise", "Race", url="https://imanage.firm.test", client_id="a", client_secret="b")
    second = replace(first, name="Other") if field == "url" else replace(first, url="https://b.firm.test")
    names.before_answer = threading.Barrier(2, timeout=20).wait
    outcomes: list[object] = []

    def add(new: NewServer) -> None:
        with app.app_context():
            try:
                outcomes.append(servers.add(actor, new))
            except Invalid as refusal:
                outcomes.append(refusal.fields)

    threads = [threading.Thread(target=add, args=(new,)) for new in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    refused = [outcome for outcome in outcomes if isinstance(outcome, dict)]
    assert [list(fields) for fields in refused] == [[field]]
    assert count() == 1


def test_a_secret_that_no_key_opens_is_a_sentence(database: None) -> None:
    server = make_server(client_secret=vault.seal("x", "server", make_member().id, "client_secret"))
    with pytest.raises(servers.Conflict, match="cannot be opened"):
        remote.credentials(server)


def test_each_server_has_one_session_until_it_changes(database: None) -> None:
    server = make_server()
    kept = remote.outbound(server)
    assert remote.outbound(server) is kept
    assert remote.outbound(make_server("Other")) is not kept
    actor = actor_of(make_member(is_admin=True))
    version = server_views.server(actor, server.id).version
    servers.change(actor, server.id, servers.ServerChange("New name", "counterpart", version))
    db.session.refresh(server)
    assert remote.outbound(server) is not kept
