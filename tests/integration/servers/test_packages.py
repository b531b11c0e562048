"""Application packages: made and shown once, available for 15 minutes, and used in Add server."""

from __future__ import annotations

import io
import re
import uuid
import zipfile
from datetime import timedelta

import pytest
import yaml
from sqlalchemy import select, update

from config import Settings
from models import ApplicationPackage, AuditEvent, Member, Server, db, utcnow
from services.core.actor import Actor
from services.core.errors import ConflictError, InvalidError
from services.core.unit_of_work import unit_of_work
from services.servers import transport
from services.servers.packages import keys as packages_keys
from services.servers.packages import packages
from services.servers.packages.packages import NewPackage
from tests.support.pages import Browser, Page, read
from tests.support.people import actor_of, make_member
from tests.support.server_forms import on_premise, use_names

SERVERS = "/admin/integrations/imanage"
PACKAGE = f"{SERVERS}/package"
REDIRECT = "http://127.0.0.1:8000/auth/v0/oauth2/authorized"
KEY = re.compile(r"\b[0-9a-f]{32}\b")


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    use_names(monkeypatch, settings)


@pytest.fixture
def margaret(database: None) -> Member:
    return make_member("Margaret Okafor", is_admin=True)


@pytest.fixture
def admin(browser: Browser, margaret: Member) -> Browser:
    return browser.sign_in(margaret)


def typed(**more: str) -> dict[str, str]:
    return {
        "request_key": str(uuid.uuid4()),
        "application_id": "counterpart-firm",
        "name": "Counterpart",
        "publisher": "Counterpart",
        "organization": "O'Neill & Söhne",
    } | more


def make(admin: Browser, **more: str) -> tuple[Page, str, str, uuid.UUID]:
    """The page that shows the keys, the Client ID, the secret, and the package's id."""
    answer = admin.post(PACKAGE, typed(**more))
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    page = read(answer, whole=True)
    client_id, secret = dict.fromkeys(KEY.findall(page.text))
    row = newest()
    return page, client_id, secret, row.id


def newest() -> ApplicationPackage:
    db.session.rollback()
    return db.session.scalars(select(ApplicationPackage).order_by(ApplicationPackage.made_at.desc())).first()


def run_out() -> None:
    with unit_of_work() as writing:
        writing.execute(update(ApplicationPackage).values(open_until=utcnow() - timedelta(seconds=1)))


def actor(admin: Member) -> Actor:
    return actor_of(admin)


def content_of(answer: bytes) -> dict[str, object]:
    with zipfile.ZipFile(io.BytesIO(answer)) as archive:
        assert archive.namelist() == ["manifest.yaml"]
        read_back: dict[str, object] = yaml.safe_load(archive.read("manifest.yaml"))
        return read_back


def test_the_page_begins_with_what_is_known_and_shows_the_redirect_url(admin: Browser) -> None:
    page = admin.page(PACKAGE)
    assert page.value_of("application_id") == "counterpart-127-0-0-1"
    assert page.value_of("name") == "Counterpart"
    assert REDIRECT in page.text
    for word in ("Settings > Applications", "Upload package", "Allow Refresh Token", "Review", "Finish"):
        assert word in page.text
    make(admin, organization="Harbour Vale LLP")
    assert admin.page(PACKAGE).value_of("organization") == "Harbour Vale LLP"


def test_the_keys_are_shown_once_and_never_at_an_address(admin: Browser) -> None:
    sent = typed()
    first = read(admin.post(PACKAGE, sent), whole=True)
    client_id, secret = dict.fromkeys(KEY.findall(first.text))
    assert client_id != secret
    assert "These are only shown once" in first.text
    again = read(admin.post(PACKAGE, sent), whole=True)
    assert "They have already been shown" in again.text
    addresses = (PACKAGE, f"{PACKAGE}/{newest().id}", f"{SERVERS}/new?package={newest().id}", SERVERS)
    seen = again.html + "".join(admin.get(url).get_data(as_text=True) for url in addresses)
    assert secret not in seen
    assert all(client_id not in link and secret not in link for link in first.links)
    assert db.session.query(ApplicationPackage).count() == 1


def test_the_file_says_what_the_page_said(admin: Browser) -> None:
    _, client_id, secret, package_id = make(admin)
    answer = admin.post(f"{PACKAGE}/{package_id}/manifest.zip")
    assert answer.headers["Content-Disposition"] == "attachment; filename=manifest.zip"
    assert "no-store" in answer.headers["Cache-Control"]
    assert list(content_of(answer.get_data()).items()) == [
        ("id", "counterpart-firm"),
        ("name", "Counterpart"),
        ("api_key", client_id),
        ("api_secret", secret),
        ("publisher", "Counterpart"),
        ("organization", "O'Neill & Söhne"),
        ("version", "2"),
        ("redirect_url", REDIRECT),
    ]


def test_after_a_quarter_of_an_hour_nothing_is_left_of_the_keys(admin: Browser) -> None:
    _, client_id, secret, package_id = make(admin)
    assert newest().open_until - newest().made_at <= packages_keys.AVAILABLE_FOR + timedelta(seconds=1)
    run_out()
    assert admin.post(f"{PACKAGE}/{package_id}/manifest.zip").status_code == 409
    assert "make a new package" in admin.page(f"{PACKAGE}/{package_id}").text
    packages_keys.delete_expired()
    row = newest()
    assert row.sealed == ""
    kept = repr([getattr(row, column.name) for column in row.__table__.columns])
    assert client_id not in kept
    assert secret not in kept


def test_a_clock_that_was_set_back_makes_it_no_longer(admin: Browser) -> None:
    _, _, _, package_id = make(admin)
    with unit_of_work() as writing:
        writing.execute(update(ApplicationPackage).values(open_until=utcnow() + timedelta(hours=2)))
    assert admin.post(f"{PACKAGE}/{package_id}/manifest.zip").status_code == 409
    packages_keys.delete_expired()
    assert newest().sealed == ""


def test_another_admin_has_none_of_it(admin: Browser) -> None:
    _, client_id, secret, package_id = make(admin)
    other = Browser(admin.app).sign_in(make_member("Ada", is_admin=True))
    assert other.post(f"{PACKAGE}/{package_id}/manifest.zip").status_code == 409
    page = other.page(f"{SERVERS}/new?package={package_id}", htmx=True)
    assert client_id not in page.html
    assert secret not in page.html
    assert page.value_of("package") == ""


def test_no_key_is_ever_made_twice(margaret: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(["a" * 32, "b" * 32, "a" * 32, "b" * 32, "c" * 32, "counter" * 4, "d" * 32])
    monkeypatch.setattr(packages_keys, "new_key", lambda: next(drawn))
    with unit_of_work() as writing:
        writing.add(
            Server(
                kind="on_premise",
                name="S",
                name_key="s",
                url="https://s.firm.test",
                api_url="https://s.firm.test",
                client_id="counter" * 4,
                client_secret="",
            )
        )
    made = [packages.make(actor(margaret), NewPackage(uuid.uuid4(), "x", "x", "x", "x")).keys for _ in "12"]
    assert [(keys.api_key, keys.api_secret) for keys in made if keys] == [
        ("a" * 32, "b" * 32),
        ("c" * 32, "d" * 32),
    ]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"application_id": ""}, "Enter an ID."),
        ({"application_id": "counter part"}, "Use only letters a to z"),
        ({"application_id": "-x"}, "start with a letter or digit"),
        ({"name": "x" * 101}, "Use 100 characters or fewer."),
        ({"publisher": "a\u202eb"}, "an invisible character"),
        ({"organization": ""}, "Enter your organization."),
    ],
)
def test_a_bad_value_is_refused_at_its_field(admin: Browser, change: dict[str, str], sentence: str) -> None:
    answer = admin.post(PACKAGE, typed(**change))
    assert answer.status_code == 422
    assert sentence in read(answer, whole=True).text
    assert newest() is None


def test_the_service_judges_for_itself(margaret: Member) -> None:
    with pytest.raises(InvalidError) as refused:
        packages.make(actor(margaret), NewPackage(uuid.uuid4(), "a b", "a\u2028b", "", "x" * 101))
    assert set(refused.value.fields) == {"application_id", "name", "publisher", "organization"}


def test_a_package_is_carried_into_add_server(admin: Browser) -> None:
    page, client_id, secret, package_id = make(admin)
    assert "Use it in Add server" in page.text
    popup = admin.page(f"{SERVERS}/new?package={package_id}", htmx=True)
    assert f"Client ID {client_id} and its secret come from the package." in popup.text
    assert secret not in popup.html
    assert not [each for each in popup.controls if each.get("name") in ("client_id", "client_secret")]
    sent = on_premise(client_id="", client_secret="", package=str(package_id))
    fields = admin.post(f"{SERVERS}/new/fields", sent)
    assert "come from the package." in read(fields, whole=False).text
    refused = admin.post(f"{SERVERS}/new", sent | {"name": ""}, htmx=True)
    assert "come from the package." in read(refused, whole=False).text

    assert admin.post(f"{SERVERS}/new", sent, htmx=True).status_code == 204
    row = db.session.scalars(select(Server)).one()
    assert (row.client_id, row.redirect_url) == (client_id, REDIRECT)
    assert transport.credentials(row).client_secret == secret
    assert newest().server_id == row.id
    page = admin.page(f"{SERVERS}/{row.id}")
    assert "Done: Register the application" in page.text
    assert "Done: Register the redirect URL" in page.text

    other = sent | {"name": "Paris", "url": "https://inside.firm.test"}
    again = admin.post(f"{SERVERS}/new", other, htmx=True)
    assert again.status_code == 422
    assert "can no longer be used" in read(again, whole=False).text
    with pytest.raises(ConflictError), unit_of_work():
        packages.assign(package_id, row.id)
    db.session.rollback()
    told = [event.action for event in db.session.scalars(select(AuditEvent).order_by(AuditEvent.at))]
    assert told == ["package.made", "server.added"]
    details = repr([event.detail for event in db.session.scalars(select(AuditEvent))])
    assert secret not in details


def test_a_package_that_ran_out_meanwhile_gives_the_fields_back(admin: Browser) -> None:
    _, _, _, package_id = make(admin)
    run_out()
    answer = admin.post(f"{SERVERS}/new", on_premise(package=str(package_id)), htmx=True)
    page = read(answer, whole=False)
    assert answer.status_code == 422
    assert "can no longer be used" in page.text
    assert page.value_of("client_id") == "counterpart"
    assert page.value_of("package") == ""
    assert admin.post(f"{SERVERS}/new", on_premise(), htmx=True).status_code == 204
