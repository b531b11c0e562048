"""Discovery: the identity of a token and the base URL."""

from __future__ import annotations

from typing import Any

import pytest
import responses

from imanage import errors
from imanage.discovery import discover
from imanage.guard import build_session
from imanage.networks import AddressRules
from imanage.types import Identity
from tests.unit.imanage.support import ENDPOINTS, HOST, TOKEN


def answer(**changes: Any) -> dict[str, Any]:
    data = {
        "auth_status": "authenticated",
        "dms_version": "10.2.3812",
        "user": {"customer_id": 4242, "email": "j.doe@firm.com", "id": "JDOE", "name": "Jane Doe"},
        "versions": [{"name": "v2", "url": "https://work.firm.com/work/api/v2", "version": "2.1.1094"}],
        "work": {"libraries": [{"alias": "Dev"}, {"alias": "Active"}, {}], "preferred_library": "Dev"},
        **changes,
    }
    return {"data": data}


def ask() -> Identity:
    return discover(build_session(AddressRules()), ENDPOINTS, TOKEN)


@responses.activate
def test_reads_the_identity_and_keeps_calls_on_the_api_host() -> None:
    responses.get(f"{HOST}/api", json=answer())
    assert ask() == Identity(
        user_id="JDOE",
        name="Jane Doe",
        email="j.doe@firm.com",
        customer_id="4242",
        base_url=f"{HOST}/work/api/v2/customers/4242",
        preferred_library="Dev",
        libraries=("Dev", "Active"),
        dms_version="10.2.3812",
    )


@pytest.mark.parametrize(
    "first", [{"status": 404}, {"body": "<html>"}, {"status": 302}, {"json": {"ok": True}}]
)
@responses.activate
def test_falls_back_to_the_address_below_work(first: dict[str, Any]) -> None:
    responses.get(f"{HOST}/api", **first)
    responses.get(f"{HOST}/work/api", json=answer())
    assert ask().customer_id == "4242"


@responses.activate
def test_something_else_is_not_imanage() -> None:
    responses.get(f"{HOST}/api", status=404)
    responses.get(f"{HOST}/work/api", status=404)
    with pytest.raises(errors.NotIManageError):
        ask()


@pytest.mark.parametrize(
    ("versions", "path"),
    [
        ([{"name": "v1", "url": f"{HOST}/api/v1"}, {"name": "v2", "url": f"{HOST}/api/v2"}], "/api/v2"),
        ([{"url": "https://x.test/work/web/api/v2/"}], "/work/web/api/v2"),
        ([], "/work/api/v2"),
        (None, "/work/api/v2"),
        (["v2"], "/work/api/v2"),
        ([{"name": "v2"}], "/work/api/v2"),
        ([{"name": "v2", "url": "https://x.test/../../v2"}], "/work/api/v2"),
        ([{"name": "v2", "url": "https://x.test/a?b=/v2"}], "/a"),
        ([{"name": "v2", "url": "https://[x/v2"}], "/work/api/v2"),
        ([{"name": "v2", "url": "https://x.test/%2e%2e/v2"}], "/work/api/v2"),
        ([{"name": "v2", "url": "https://x.test//evil.test/v2"}], "/work/api/v2"),
    ],
)
@responses.activate
def test_only_the_path_of_a_version_is_believed(versions: Any, path: str) -> None:
    responses.get(f"{HOST}/api", json=answer(versions=versions))
    assert ask().base_url == f"{HOST}{path}/customers/4242"


@pytest.mark.parametrize("customer", ["../1", "1/2", "1?x", "", None, {}])
@responses.activate
def test_a_hostile_customer_is_not_imanage(customer: Any) -> None:
    hostile = answer(user={"id": "JDOE", "customer_id": customer})
    responses.get(f"{HOST}/api", json=hostile)
    responses.get(f"{HOST}/work/api", json=hostile)
    with pytest.raises(errors.NotIManageError):
        ask()


@responses.activate
def test_an_answer_without_a_session_asks_to_sign_in() -> None:
    responses.get(f"{HOST}/api", json={"data": {"auth_status": "unauthenticated", "versions": []}})
    with pytest.raises(errors.UnauthorisedError):
        ask()


@responses.activate
def test_a_dead_token_is_not_tried_twice() -> None:
    responses.get(f"{HOST}/api", status=401)
    with pytest.raises(errors.UnauthorisedError):
        ask()
    assert len(responses.calls) == 1
