"""A transfer shows the names that the person was shown, and no name that this installation did not sign."""

from __future__ import annotations

import uuid

import pytest

from imanage.ids import VersionId
from models import TransferItem
from services.core.unit_of_work import session
from services.transfers import signed_names
from tests.support.pages import Page
from tests.support.transfers import Desk

NAME = "<b>SPA</b> – Project Heron.docx"


def get(desk: Desk, source: str, *called: str) -> TransferItem:
    answer = desk.browser.post(
        f"/matters/{desk.matter_id}/get/{desk.server.id}",
        {"request_key": str(uuid.uuid4()), "source": [source], "called": list(called)},
    )
    assert answer.status_code == 303
    session().rollback()
    found = session().query(TransferItem).order_by(TransferItem.id.desc()).first()
    assert found is not None
    shown = desk.browser.get(answer.headers["Location"]).get_data(as_text=True)
    assert "<b>" not in shown
    assert found.name in Page(shown).text
    return found


def test_what_waits_is_called_as_the_picker_called_it(desk: Desk) -> None:
    address = f"/matters/{desk.matter_id}/browse/{desk.server.id}"
    listed = desk.browser.post(address, {"q": "SPA"}, htmx=True)
    tick = next(
        control for control in Page(listed.get_data(as_text=True)).controls if "data-called" in control
    )
    item = get(desk, tick["value"], tick["data-called"])
    assert (item.name, item.source_id) == (tick["data-pick"], tick["value"])
    assert item.name != item.source_id


def test_everything_of_a_folder_brings_its_names_along(desk: Desk) -> None:
    url = f"/matters/{desk.matter_id}/everything/{desk.server.id}"
    page = Page(desk.browser.post(url, {"q": "SPA"}, htmx=True).get_data(as_text=True))
    sources = [each["value"] for each in page.controls if each.get("name") == "source"]
    called = [each["value"] for each in page.controls if each.get("name") == "called"]
    names = signed_names.read(desk.server.id, called)
    assert sources
    assert set(map(str, names)) == set(sources)
    assert get(desk, sources[0], *called).name == names[VersionId.parse(sources[0])]


def test_a_name_is_kept_and_shown_as_text(desk: Desk) -> None:
    item = get(desk, "Active!1.1", signed_names.signer(desk.server.id)(VersionId("Active", 1, 1), NAME))
    assert item.name == NAME


@pytest.mark.parametrize("how", ["unsigned", "changed", "of another server", "of another document"])
def test_what_we_did_not_sign_is_no_name(desk: Desk, how: str) -> None:
    right = signed_names.signer(desk.server.id)(VersionId("Active", 1, 1), NAME)
    called = {
        "unsigned": NAME,
        "changed": "x" + right,
        "of another server": signed_names.signer(uuid.uuid4())(VersionId("Active", 1, 1), NAME),
        "of another document": signed_names.signer(desk.server.id)(VersionId("Active", 2, 1), NAME),
    }[how]
    assert get(desk, "Active!1.1", called).name == "Active!1.1"
