"""The transport: token header, retries, error mapping, and secrets that never leak."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
import responses
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

from imanage import errors
from imanage.client import Client, Pacer
from imanage.deadlines import within
from imanage.guard import Cap, build_session
from imanage.networks import AddressRules
from tests.unit.imanage.support import BASE, TOKEN, client

URL = f"{BASE}/libraries"
REFUSED = requests.exceptions.ConnectionError(MaxRetryError(None, URL, NewConnectionError(None, "refused")))
RESET = requests.exceptions.ConnectionError(ProtocolError("Connection aborted.", ConnectionResetError()))


class Hurried(Pacer):
    """Records its pauses instead of sleeping."""

    def __init__(self) -> None:
        super().__init__(cap_seconds=30)
        self.pauses: list[float] = []

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


@pytest.mark.parametrize(
    ("header", "sent"),
    [
        ("x-auth-token", {"X-Auth-Token": TOKEN}),
        ("bearer", {"Authorization": f"Bearer {TOKEN}"}),
        ("both", {"X-Auth-Token": TOKEN, "Authorization": f"Bearer {TOKEN}"}),
    ],
)
@responses.activate
def test_the_token_travels_in_the_chosen_header(header: Any, sent: dict[str, str]) -> None:
    responses.get(URL, json={"data": []})
    client(header).json("GET", "libraries")
    headers = responses.calls[0].request.headers
    assert {name: headers[name] for name in ("X-Auth-Token", "Authorization") if name in headers} == sent
    assert headers["Accept"] == "application/json"
    assert headers["User-Agent"].startswith("Counterpart/")


@pytest.mark.parametrize(
    ("status", "kind", "retry"),
    [
        (400, errors.RejectedError, "no"),
        (401, errors.UnauthorisedError, "sign_in"),
        (403, errors.ForbiddenError, "no"),
        (404, errors.NotFoundError, "no"),
        (409, errors.ConflictError, "no"),
        (413, errors.TooLargeError, "no"),
        (415, errors.RejectedError, "no"),
        (418, errors.RejectedError, "no"),
        (422, errors.RejectedError, "no"),
        (423, errors.ConflictError, "no"),
        (500, errors.ServerFaultError, "later"),
        (502, errors.ServerFaultError, "later"),
        (302, errors.NotIManageError, "no"),
        (407, errors.ProxySignInError, "no"),
        (307, errors.NotIManageError, "no"),
    ],
)
@responses.activate
def test_each_status_means_one_error(status: int, kind: type[errors.ImanageError], retry: str) -> None:
    responses.get(URL, status=status, json={"error": {"code": "NRC_X", "code_message": "Because."}})
    with pytest.raises(kind) as caught:
        client().json("GET", "libraries")
    error = caught.value
    assert (error.status, error.remote_code, error.remote_message, error.retry) == (
        status,
        "NRC_X",
        "Because.",
        retry,
    )
    assert len(responses.calls) == 1


@pytest.mark.parametrize(
    ("payload", "code", "message"),
    [
        ({"error": {"code": "LoginFailed", "message": "Wrong."}}, "LoginFailed", "Wrong."),
        ({"error": "invalid_grant", "error_description": "Old."}, "invalid_grant", "Old."),
        ({"message": "Top."}, None, "Top."),
        ({"code": "NRC_Y", "code_message": "Flat."}, "NRC_Y", "Flat."),
        ({"error": {"message": ["x"]}}, None, None),
        (["error"], None, None),
        ({"error": None}, None, None),
        ("text", None, None),
    ],
)
@responses.activate
def test_reads_every_shape_of_a_refusal(payload: Any, code: str | None, message: str | None) -> None:
    responses.get(URL, status=400, json=payload)
    with pytest.raises(errors.RejectedError) as caught:
        client().json("GET", "libraries")
    assert (caught.value.remote_code, caught.value.remote_message) == (code, message)


@responses.activate
def test_keeps_the_servers_word_per_profile_field() -> None:
    messages = [
        {"field": "custom2", "code_message": "Is required."},
        {"field": None},
        "x",
        {"field": "class"},
    ]
    responses.get(URL, status=400, json={"error": {"code": "NRC_INVALID_PARAM", "messages": messages}})
    with pytest.raises(errors.RejectedError) as caught:
        client().json("GET", "libraries")
    assert caught.value.fields == {"custom2": "Is required.", "class": ""}


@responses.activate
def test_a_servers_words_are_bounded_one_line_and_without_our_token() -> None:
    said = f"bad token {TOKEN}\r\nSet-Cookie: x\x1b[31m" + "y" * 1000
    responses.get(URL, status=401, json={"error": {"message": said}})
    with pytest.raises(errors.UnauthorisedError) as caught:
        client().json("GET", "libraries")
    message = caught.value.remote_message or ""
    assert TOKEN not in message + str(caught.value) + repr(caught.value)
    assert message.isprintable()
    assert len(message) <= 300


@pytest.mark.parametrize("body", ["<html>Welcome</html>", "{", "[" * 100_000, "\ufeffnull x"])
@responses.activate
def test_what_is_not_json_is_not_imanage(body: str) -> None:
    responses.get(URL, body=body)
    with pytest.raises(errors.NotIManageError):
        client().json("GET", "libraries")


@pytest.mark.parametrize("payload", [[], None, 7, {"data": 7}, {"data": "x"}])
@responses.activate
def test_a_list_without_data_is_not_imanage(payload: Any) -> None:
    responses.get(URL, body=json.dumps(payload))
    with pytest.raises(errors.NotIManageError):
        client().lists("GET", "libraries")


@responses.activate
def test_an_endless_answer_is_cut_off() -> None:
    responses.get(URL, body=b'{"data": "' + b"x" * 5000 + b'"}')
    with pytest.raises(errors.AnswerTooLargeError):
        client(listing=Cap(1000, 100)).json("GET", "libraries")


@pytest.mark.parametrize("fault", [REFUSED, RESET])
@responses.activate
def test_a_read_is_tried_three_times_with_growing_pauses(fault: Exception) -> None:
    responses.get(URL, body=fault)
    pacer = Hurried()
    with pytest.raises(errors.UnreachableError):
        client(pacer=pacer).json("GET", "libraries")
    assert len(responses.calls) == 3
    assert len(pacer.pauses) == 2
    assert 0.2 <= pacer.pauses[0] <= 0.6
    assert 0.4 <= pacer.pauses[1] <= 1.2


@responses.activate
def test_a_read_recovers_from_a_reset_and_a_503() -> None:
    responses.get(URL, body=RESET)
    responses.get(URL, status=503, headers={"Retry-After": "2"}, body="<html>Maintenance</html>")
    responses.get(URL, json={"data": [1]})
    pacer = Hurried()
    assert client(pacer=pacer).json("GET", "libraries") == {"data": [1]}
    assert pacer.pauses[1] == 2


@responses.activate
def test_a_503_with_a_long_wait_is_raised_at_once() -> None:
    responses.get(URL, status=503, headers={"Retry-After": "600"})
    with pytest.raises(errors.ServerFaultError) as caught:
        client(pacer=Hurried()).json("GET", "libraries")
    assert caught.value.wait_seconds == 600
    assert len(responses.calls) == 1


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        (requests.exceptions.ReadTimeout(), errors.UnreachableError, "imanage.unreachable.silent"),
        (requests.exceptions.ConnectTimeout(), errors.UnreachableError, "imanage.unreachable.silent"),
        (requests.exceptions.SSLError(), errors.UnreachableError, "imanage.unreachable.tls"),
        (requests.exceptions.InvalidSchema(), errors.ImanageError, "imanage.blocked.scheme"),
    ],
)
@responses.activate
def test_other_faults_of_a_read_are_not_repeated(
    fault: Exception, kind: type[errors.ImanageError], code: str
) -> None:
    responses.get(URL, body=fault)
    with pytest.raises(kind) as caught:
        client(pacer=Hurried()).json("GET", "libraries")
    assert caught.value.code == code
    assert len(responses.calls) == 1


@pytest.mark.parametrize("fault", [RESET, requests.exceptions.ReadTimeout(), requests.exceptions.SSLError()])
@responses.activate
def test_a_write_whose_answer_was_lost_is_unknown_and_never_repeated(fault: Exception) -> None:
    responses.post(URL, body=fault)
    with pytest.raises(errors.OutcomeUnknownError):
        client(pacer=Hurried()).json("POST", "libraries", body={})
    assert len(responses.calls) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@responses.activate
def test_a_write_answered_by_a_fault_is_unknown(status: int) -> None:
    responses.post(URL, status=status, body="<html>")
    with pytest.raises(errors.OutcomeUnknownError) as caught:
        client(pacer=Hurried()).json("POST", "libraries", body={})
    assert caught.value.status == status
    assert len(responses.calls) == 1


@responses.activate
def test_a_write_answered_with_something_else_than_json_is_unknown() -> None:
    responses.post(URL, body="<html>")
    with pytest.raises(errors.OutcomeUnknownError):
        client().json("POST", "libraries", body={})


@pytest.mark.parametrize("fault", [REFUSED, requests.exceptions.ConnectTimeout()])
@responses.activate
def test_a_write_that_never_left_is_only_unreachable(fault: Exception) -> None:
    responses.post(URL, body=fault)
    with pytest.raises(errors.UnreachableError):
        client(pacer=Hurried()).json("POST", "libraries", body={})
    assert len(responses.calls) == 1


@responses.activate
def test_a_search_by_post_is_a_read() -> None:
    responses.post(URL, body=RESET)
    responses.post(URL, json={"data": []})
    assert client(pacer=Hurried()).json("POST", "libraries", body={}, reads=True) == {"data": []}


@responses.activate
def test_an_empty_answer_is_none() -> None:
    responses.delete(URL, status=204)
    assert client().json("DELETE", "libraries") is None


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"x-ratelimit-reset": "7"}, 7),
        ({"x-ratelimit-reset": "7", "Retry-After": "3"}, 3),
        ({"Retry-After": "soon", "x-ratelimit-reset": "4"}, 4),
        ({"x-ratelimit-reset": "-1"}, 0),
        ({"x-ratelimit-reset": "nan"}, 5),
        ({"Retry-After": "1e300"}, 3600),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT", "Date": "Wed, 21 Oct 2015 07:27:20 GMT"}, 40),
        ({"x-ratelimit-reset": "1445412480", "Date": "Wed, 21 Oct 2015 07:27:20 GMT"}, 40),
        ({"Retry-After": "40", "Date": "never"}, 40),
        ({}, 5),
    ],
)
@responses.activate
def test_too_many_calls_tells_how_long_to_wait(headers: dict[str, str], wait: float) -> None:
    responses.get(URL, status=429, headers=headers, json={"error": {"code": "x"}})
    pacer = Pacer(cap_seconds=0)
    one = client(pacer=pacer)
    with pytest.raises(errors.ThrottledError) as caught:
        one.json("GET", "libraries")
    assert caught.value.wait_seconds == pytest.approx(wait)
    assert pacer.remaining() == pytest.approx(wait, abs=0.5)


@responses.activate
def test_after_a_429_no_call_is_made_until_the_reset() -> None:
    responses.get(URL, status=429, headers={"x-ratelimit-reset": "60"})
    pacer = Pacer(cap_seconds=1)
    with pytest.raises(errors.ThrottledError):
        client(pacer=pacer).json("GET", "libraries")
    with pytest.raises(errors.ThrottledError) as caught:
        client(pacer=pacer).json("GET", "libraries")
    assert 58 < (caught.value.wait_seconds or 0) <= 60
    assert len(responses.calls) == 1


def test_a_client_does_not_show_its_token() -> None:
    assert TOKEN not in repr(client())
    assert isinstance(client(), Client)


@pytest.mark.parametrize(
    "payload", [{}, {"total_count": 0}, {"data": None}, {"data": {}}, {"data": {"results": None}}]
)
@responses.activate
def test_a_list_without_data_is_empty(payload: Any) -> None:
    responses.get(URL, json=payload)
    assert client().lists("GET", "libraries").rows == ()


@pytest.mark.parametrize(
    "data", [{"entries": []}, {"entries": [{"id": "Active!1"}]}, {"count": 0}, {"results": {}}]
)
@responses.activate
def test_an_unknown_key_of_data_is_not_understood(data: Any) -> None:
    responses.get(URL, json={"data": data})
    with pytest.raises(errors.NotUnderstoodError):
        client().lists("GET", "libraries")


@responses.activate
def test_an_error_with_the_status_of_success_is_a_refusal() -> None:
    responses.get(URL, json={"error": {"code": "NRC_X", "code_message": "No."}})
    with pytest.raises(errors.RejectedError) as caught:
        client().lists("GET", "libraries")
    assert caught.value.remote_message == "No."


@responses.activate
def test_a_server_that_refuses_to_count_is_asked_without() -> None:
    refusal = {"error": {"code": "NRC_INVALID_PARAM", "messages": [{"field": "total"}]}}
    responses.get(URL, status=400, json=refusal)
    responses.get(URL, json={"data": []})
    assert client().lists("GET", "libraries", params={"limit": 5, "total": "true"}).rows == ()
    assert str(responses.calls[1].request.url).endswith("?limit=5")


@responses.activate
def test_a_refused_total_costs_one_call_for_all_pages_of_a_list() -> None:
    refusal = {"error": {"code": "NRC_INVALID_PARAM", "messages": [{"field": "total"}]}}
    responses.get(URL, status=400, json=refusal)
    responses.get(URL, json={"data": []})
    reader = client()
    for offset in (0, 5, 10):
        reader.lists("GET", "libraries", params={"limit": 5, "offset": offset, "total": "true"})
    assert len(responses.calls) == 4


@pytest.mark.parametrize("status", [429, 500, 502])
@responses.activate
def test_a_fault_while_a_person_waits_is_tried_once_more(status: int) -> None:
    responses.get(URL, status=status, headers={"Retry-After": "1"})
    responses.get(URL, json={"data": [{"id": "Active"}]})
    assert len(waiting().lists("GET", "libraries").rows) == 1
    responses.replace("GET", URL, status=status, headers={"Retry-After": "1"})
    responses.calls.reset()
    with pytest.raises(errors.ImanageError):
        waiting().lists("GET", "libraries")
    assert len(responses.calls) == 2


@responses.activate
def test_a_fault_is_not_tried_again_past_the_deadline() -> None:
    responses.get(URL, status=429, headers={"Retry-After": "8"})
    with within(5), pytest.raises(errors.ThrottledError):
        waiting().lists("GET", "libraries")
    assert len(responses.calls) == 1


def waiting() -> Client:
    session = build_session(AddressRules())
    return Client(session, BASE, TOKEN, pacing=Hurried(), retries_faults=True)
