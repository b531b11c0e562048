"""Adding a server: what is taken, what is refused with which sentence, and that nothing typed is lost."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from config import Settings
from models import AuditEvent, Server, db
from services.core import encryption, runtime
from services.core.errors import InvalidError
from services.servers import registry, transport
from services.servers import views as server_views
from services.servers.registry import NewServer
from tests.support.pages import Browser, read
from tests.support.people import actor_of, make_member
from tests.support.server_forms import (
    PUBLIC,
    SECRET,
    cloud,
    count_servers,
    on_premise,
    use_names,
    use_strict_settings,
)
from tests.support.servers import Names, make_server

NEW = "/admin/integrations/imanage/new"


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Names:
    return use_names(monkeypatch, settings)


@pytest.fixture
def strict(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    use_strict_settings(monkeypatch)


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
    assert transport.credentials(row).client_secret == SECRET
    assert transport.endpoints(row).browser == "https://imanage.firm.test"
    assert transport.endpoints(row).api == "https://api.firm.test"
    page = admin.page(f"/admin/integrations/imanage/{row.id}")
    assert "Members see it once you switch it on." in page.text
    assert "We removed “/work/web”. Only the host is needed." in page.text
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
    ours = replace(runtime.runtime().settings, cloud_client_id="firm-id", cloud_client_secret="firm-secret")
    monkeypatch.setattr(runtime, "_runtime", replace(runtime.runtime(), settings=ours))
    page = admin.page(NEW, htmx=True)
    assert "Client Secret" not in page.text
    assert admin.post(NEW, {"kind": "cloud", "name": "Cloud", "subdomain": ""}).status_code == 303
    row = db.session.scalars(select(Server)).one()
    assert row.url == row.api_url == "https://cloudimanage.com"
    assert transport.credentials(row).client_id == "firm-id"
    admin.post(f"/admin/integrations/imanage/{row.id}/enabled", {"enabled": "1", "sure": "1"})
    db.session.expire_all()
    assert row.is_enabled


def test_cloud_asks_for_credentials_where_the_installation_has_none(admin: Browser) -> None:
    page = admin.page(NEW, htmx=True)
    assert "Subdomain" in page.text
    assert "Client Secret" in page.text
    refused = read(admin.post(NEW, cloud(client_secret=""), htmx=True), whole=False)
    assert "Enter the Client Secret from iManage." in refused.text
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


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"client_id": ""}, "Enter the Client ID from iManage"),
        ({"client_id": "x" * 201}, "Use 200 characters or fewer."),
        ({"client_secret": ""}, "Enter the Client Secret from iManage"),
        ({"client_secret": "x" * 501}, "Use 500 characters or fewer."),
        ({"client_secret": "abc\x07def"}, "an invisible character"),
        ({"kind": "somewhere"}, "Choose Cloud iManage or On-premise."),
    ],
)
def test_other_fields_have_their_sentences(admin: Browser, change: dict[str, str], sentence: str) -> None:
    answer = admin.post(NEW, on_premise(**change), htmx=True)
    assert answer.status_code == 422
    assert sentence in read(answer, whole=False).text
    assert count_servers() == 0


def test_every_field_speaks_at_once_and_the_secret_must_be_retyped(admin: Browser, strict: None) -> None:
    bad = on_premise(name="", url="ftp://x", api_url="https://[::1]", client_id="")
    page = read(admin.post(NEW, bad, htmx=True), whole=False)
    for sentence in ("Enter a name.", "must start with https://", "IMANAGE_NETWORKS", "Enter the Client ID"):
        assert sentence in page.text
    assert "Enter it again. For security it is never sent back to this page." in page.text


def test_a_refused_form_says_what_it_left_off(admin: Browser) -> None:
    bad = on_premise(name="", url="https://imanage.firm.test/work/login")
    page = read(admin.post(NEW, bad, htmx=True), whole=False)
    assert "We removed “/work/login”. Only the host is needed." in page.text
    assert page.value_of("url") == "https://imanage.firm.test/work/login"


def test_the_same_server_is_refused_however_it_is_written(admin: Browser) -> None:
    make_server("First", url="https://imanage.firm.test")
    page = read(admin.post(NEW, on_premise(url="HTTPS://ImAnage.firm.test:443/work"), htmx=True), whole=False)
    assert registry.validation.URL_TAKEN.format("First") in page.text
    assert count_servers() == 1


def test_each_host_is_looked_up_once_and_an_unknown_one_is_only_warned_of(
    admin: Browser, names: Names
) -> None:
    answer = admin.post(NEW, on_premise(url="https://nowhere.firm.test"))
    assert names.asked == ["nowhere.firm.test"]
    page = admin.page(answer.headers["Location"])
    assert "Counterpart’s DNS does not know “nowhere.firm.test”." in page.text


def test_an_on_premise_server_may_stand_in_a_private_network(admin: Browser, strict: None) -> None:
    assert admin.post(NEW, on_premise(url="https://inside.firm.test")).status_code == 303


def test_confusing_names_and_hosts_are_warned_of(admin: Browser) -> None:
    make_server("London Archive")
    make_server("Paris", url="https://other.firm.test", api_url="https://api.firm.test")
    answer = admin.post(NEW, on_premise(api_url="https://api.firm.test"))
    text = admin.page(answer.headers["Location"]).text
    assert "“London Archive” starts with the same word." in text
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
                outcomes.append(registry.add(actor, new))
            except InvalidError as refusal:
                outcomes.append(refusal.fields)

    threads = [threading.Thread(target=add, args=(new,)) for new in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    refused = [outcome for outcome in outcomes if isinstance(outcome, dict)]
    assert [list(fields) for fields in refused] == [[field]]
    assert count_servers() == 1


def test_a_secret_that_no_key_opens_is_a_sentence(database: None) -> None:
    server = make_server(client_secret=encryption.seal("x", "server", make_member().id, "client_secret"))
    with pytest.raises(registry.ConflictError, match="cannot decrypt"):
        transport.credentials(server)


def test_each_server_has_one_session_until_it_changes(database: None) -> None:
    server = make_server()
    kept = transport.outbound(server)
    assert transport.outbound(server) is kept
    assert transport.outbound(make_server("Other")) is not kept
    actor = actor_of(make_member(is_admin=True))
    version = server_views.server(actor, server.id).version
    registry.change(actor, server.id, registry.ServerChange("New name", version))
    db.session.refresh(server)
    assert transport.outbound(server) is not kept
