"""Limits on storage: refused before the bytes come, said from four fifths on, and kept by gets as by uploads."""

from __future__ import annotations

import io
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from config import Settings, SettingsError
from models import Member, Version
from services.core import runtime
from services.core.errors import InvalidError
from services.core.unit_of_work import session, unit_of_work
from services.matters import documents, quotas, versions
from services.operations import installation_health
from services.scanning import scan
from tests.support import matters
from tests.support.concurrency import at_once
from tests.support.pages import Browser, read
from tests.support.people import actor_of, make_member
from tests.support.transfers import Desk, carry, get, got_document, items_of

KB = 1000


@pytest.fixture
def ada(database: None) -> Member:
    return make_member("Ada")


@pytest.fixture
def limits() -> Iterator[Any]:
    usual = runtime.runtime()

    def set_limits(**more: int) -> None:
        quotas._total = None
        runtime.bind(replace(usual, settings=replace(usual.settings, **more)))

    yield set_limits
    runtime.bind(usual)
    quotas._total = None


def add(member: Member, matter_id: uuid.UUID, size: int, name: str = "") -> uuid.UUID:
    return documents.add(
        actor_of(member), matter_id, name or f"{uuid.uuid4().hex}.docx", io.BytesIO(bytes(size))
    )


@pytest.mark.parametrize("scope", ["quota_bytes", "quota_matter_bytes", "quota_member_bytes"])
def test_what_would_pass_a_limit_is_refused_and_nothing_is_kept(ada: Member, limits: Any, scope: str) -> None:
    matter_id = matters.open_matter(actor_of(ada))
    limits(**{scope: 100 * KB})
    document_id = add(ada, matter_id, 60 * KB)
    with pytest.raises(InvalidError) as refused:
        add(ada, matter_id, 50 * KB)
    assert (
        "This file is 50 kB" in refused.value.fields["file"]
        and "space for 40 kB" in refused.value.fields["file"]
    )
    with pytest.raises(InvalidError):
        versions.add(actor_of(ada), document_id, "x.docx", io.BytesIO(bytes(50 * KB)), "")
    with pytest.raises(InvalidError):
        versions.add_again(actor_of(ada), matters.current_version(document_id), "x.docx", "")
    add(ada, matter_id, 40 * KB)
    with pytest.raises(InvalidError, match=r"full|used all"):
        add(ada, matter_id, 1)
    assert session().query(Version).count() == 2


@pytest.mark.parametrize("scope", ["quota_bytes", "quota_matter_bytes", "quota_member_bytes"])
@pytest.mark.parametrize("what", ["documents", "versions", "the same again"])
def test_ten_at_once_do_not_pass_a_limit_together(
    app: Flask, ada: Member, limits: Any, monkeypatch: pytest.MonkeyPatch, scope: str, what: str
) -> None:
    """All of them have come whole before the first of them lands."""
    ada_acts = actor_of(ada)
    first = matters.open_matter(ada_acts)
    second = first if scope == "quota_matter_bytes" else matters.open_matter(ada_acts, "Other")
    kept = [add(ada, each, 10) for each in (first, second)]
    shown = [matters.current_version(each) for each in kept]
    session().rollback()
    limits(**{scope: 30 * KB})
    have_come = threading.Barrier(10, timeout=20)
    monkeypatch.setattr(scan, "inspect", lambda *_, **__: have_come.wait())
    monkeypatch.setattr(versions, "require_space", lambda *_: have_come.wait())
    if what == "the same again":
        with unit_of_work() as writing:
            for version_id in shown:
                writing.get_one(Version, version_id).size = 12 * KB
        limits(**{scope: 48 * KB})

    def act(number: int) -> object:
        if what == "documents":
            content = io.BytesIO(bytes(12 * KB))
            return documents.add(ada_acts, (first, second)[number % 2], f"{number}.docx", content)
        if what == "versions":
            content = io.BytesIO(bytes([number]) * 12 * KB)
            return versions.add(ada_acts, kept[number % 2], "x.docx", content, "")
        return versions.add_again(ada_acts, shown[number % 2], "x.docx", "")

    answers = at_once(app, *(partial(act, number) for number in range(10)))
    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert len(refused) == 8 and all(isinstance(answer, InvalidError) for answer in refused), answers
    field = "file_name" if what == "the same again" else "file"
    assert all("Ask your System Admin for more space." in answer.fields[field] for answer in refused)
    session().rollback()
    assert sum(session().scalars(select(Version.size))) <= (48 if what == "the same again" else 30) * KB
    if what != "the same again":
        monkeypatch.undo()
        add(ada, first, 1 * KB)  # what was refused is not counted


def test_each_limit_counts_its_own(ada: Member, limits: Any) -> None:
    bert = make_member("Bert")
    first, second = (
        matters.open_matter(actor_of(ada), editor=bert),
        matters.open_matter(actor_of(ada), "Other"),
    )
    limits(quota_matter_bytes=100 * KB, quota_member_bytes=150 * KB, quota_bytes=220 * KB)
    add(ada, first, 90 * KB)
    with pytest.raises(InvalidError, match="The matter has space"):
        add(bert, first, 20 * KB)
    with pytest.raises(InvalidError, match="You have space"):
        add(ada, second, 70 * KB)
    add(ada, second, 60 * KB)
    third = matters.open_matter(actor_of(bert))
    with pytest.raises(InvalidError, match="Counterpart has space"):
        add(bert, third, 80 * KB)
    add(bert, third, 70 * KB)


@pytest.mark.parametrize(
    ("used", "sentence"),
    [
        (79, ""),
        (80, "This matter is nearly full: 80 kB of 100 kB is used"),
        (100, "This matter is full"),
    ],
)
def test_it_is_said_from_four_fifths_on(
    app: Flask, ada: Member, limits: Any, used: int, sentence: str
) -> None:
    viewer = make_member("Vera")
    matter_id = matters.open_matter(actor_of(ada), viewer=viewer)
    document_id = add(ada, matter_id, used * KB)
    limits(quota_matter_bytes=100 * KB)
    browser = Browser(app).sign_in(ada)
    for address in (
        f"/matters/{matter_id}",
        f"/matters/{matter_id}/documents/new",
        f"/documents/{document_id}/versions/new",
    ):
        text = browser.page(address).text
        assert (sentence in text) if sentence else ("full" not in text)
        assert not sentence or "Ask your System Admin for more space." in text
    assert "full" not in Browser(app).sign_in(viewer).page(f"/matters/{matter_id}").text


def test_what_is_too_much_is_refused_before_it_is_read(app: Flask, ada: Member, limits: Any) -> None:
    matter_id = matters.open_matter(actor_of(ada))
    limits(quota_matter_bytes=100 * KB)

    class Unread(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, _buffer: Any) -> int:
            raise AssertionError("The body was read.")

    browser = Browser(app).sign_in(ada)
    token = browser.csrf_token()
    answer = browser.client.post(
        f"/matters/{matter_id}/documents/new",
        headers={"X-CSRFToken": token, "Content-Type": "multipart/form-data; boundary=x"},
        environ_overrides={"wsgi.input": Unread(), "CONTENT_LENGTH": str(50_000 * KB)},
    )
    assert answer.status_code == 422
    assert "The matter has space for 100 kB more" in read(answer, whole=True).text


def test_an_upload_on_the_page_says_it_at_the_file(app: Flask, ada: Member, limits: Any) -> None:
    matter_id = matters.open_matter(actor_of(ada))
    limits(quota_member_bytes=10 * KB)
    answer = (
        Browser(app)
        .sign_in(ada)
        .post(f"/matters/{matter_id}/documents/new", {"file": (io.BytesIO(bytes(20 * KB)), "Lease.docx")})
    )
    assert answer.status_code == 422
    assert "You have space for 10 kB more" in read(answer, whole=True).text


def test_a_get_that_would_pass_a_limit_stops_before_its_first_byte(desk: Desk, limits: Any) -> None:
    limits(quota_matter_bytes=10)
    desk.practice.forget_requests()
    (item,) = items_of(get(desk, desk.practice.world.named("SPA – Project Heron").id()))
    stopped = carry(item.id)
    assert (stopped.state, stopped.error_code) == ("stopped", "quota.matter")
    assert stopped.next_step == "Ask your System Admin for more space."
    assert not [call for call in desk.practice.requests if "/download" in call.path]
    limits()
    got_document(desk)


def test_gets_that_are_under_way_count(desk: Desk, limits: Any) -> None:
    """A second get is not admitted to space that the first will use."""
    sizes = []
    for name in ("SPA – Project Heron", "Disclosure letter"):
        (item,) = items_of(get(desk, desk.practice.world.named(name).id()))
        sizes.append(item)
    first, second = sizes
    from models import TransferItem
    from services.core.unit_of_work import unit_of_work

    with unit_of_work() as writing:
        row = writing.get_one(TransferItem, first.id)
        row.size, row.worker_id = 9 * KB * KB, "another-worker"
    limits(quota_matter_bytes=9 * KB * KB + 10)
    assert carry(second.id).error_code == "quota.matter"


def test_a_get_is_refused_when_its_space_was_used_meanwhile(
    desk: Desk, limits: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was let in is asked again when it lands: an upload was faster."""
    limits(quota_matter_bytes=1000 * KB)
    (item,) = items_of(get(desk, desk.practice.world.named("SPA – Project Heron").id()))
    ask = quotas.require_space

    def somebody_is_faster(*args: Any, item_id: uuid.UUID | None = None) -> None:
        ask(*args, item_id=item_id)
        if item_id is not None:
            content = io.BytesIO(bytes(1000 * KB))
            documents.add(desk.actor, desk.matter_id, "Fast.docx", content)

    monkeypatch.setattr(quotas, "require_space", somebody_is_faster)
    desk.practice.forget_requests()
    stopped = carry(item.id)
    assert [call for call in desk.practice.requests if "/download" in call.path]
    assert (stopped.state, stopped.error_code) == ("stopped", "quota.matter")
    assert stopped.next_step == "Ask your System Admin for more space."
    session().rollback()
    assert session().scalars(select(Version.size)).all() == [1000 * KB]


def test_doctor_says_how_much_is_used(ada: Member, limits: Any) -> None:
    matter_id = matters.open_matter(actor_of(ada))
    add(ada, matter_id, 90 * KB)
    limits()
    assert not [check for check in installation_health.all_checks() if check.name == "quota"]
    for limit, state in ((1000, "ok"), (100, "warn"), (90, "fail")):
        limits(quota_bytes=limit * KB)
        (check,) = [check for check in installation_health.all_checks() if check.name == "quota"]
        assert check.state == state


@pytest.mark.parametrize("value", ["0", "-1", "10GB", "1.5"])
def test_a_wrong_limit_is_named_at_the_start(value: str) -> None:
    with pytest.raises(SettingsError, match="COUNTERPART_QUOTA_MATTER_BYTES"):
        Settings.from_env({"COUNTERPART_QUOTA_MATTER_BYTES": value})
