"""What refusals mean beyond their status, sign-in pages in place of an answer, and fields refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
import responses

from imanage import documents, errors
from imanage.ids import VersionId
from imanage.refusals import read_refusal
from tests.unit.imanage.support import BASE, HOST, client, document_row
from tests.unit.imanage.test_uploads import upload

URL = f"{BASE}/libraries"
FOLDER = f"{BASE}/libraries/Active/folders/Active!427/documents"


def envelope(code: str = "NRC_X", message: str = "", *messages: Any) -> dict[str, Any]:
    return {"error": {"code": code, "code_message": message, "messages": list(messages)}}


def test_messages_without_a_field_reach_the_reader_too() -> None:
    said = read_refusal(
        envelope(
            "NRC_SAVE_FAILED",
            "The document was not saved.",
            {"code": "NRC_WALL", "code_message": "An ethical wall forbids it."},
            {"code": "NRC_Y"},
            "As plain text.",
            {"field": "custom2", "code_message": "Is required."},
            {"code_message": "The document was not saved."},
        )
    )
    assert said.message == ("The document was not saved.; An ethical wall forbids it.; NRC_Y; As plain text.")
    assert said.fields == {"custom2": "Is required."}
    assert said.codes == ("NRC_SAVE_FAILED", "NRC_WALL", "NRC_Y")


def test_both_messages_of_an_envelope_are_kept_where_they_differ() -> None:
    error = {"code": "NRC_X", "message": "Failed", "code_message": "The folder is full."}
    assert read_refusal({"error": error}).message == "Failed; The folder is full."


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (403, envelope("NRC_DOCUMENT_CHECKED_OUT"), errors.CheckedOutError),
        (400, envelope("NRC_FAILURE", "The document is checked out by BRAM."), errors.CheckedOutError),
        (409, envelope("NRC_FAILURE", "Document 12 is in use"), errors.CheckedOutError),
        (423, {}, errors.CheckedOutError),
        (400, envelope("NRC_X", "", {"code": "NRC_IN_USE"}), errors.CheckedOutError),
        (409, envelope("NRC_FAILURE", "The name is already in use"), errors.ConflictError),
        (400, envelope("NRC_FAILURE", "The document is not checked out"), errors.RejectedError),
        (500, envelope("NRC_INDEX_UNAVAILABLE"), errors.IndexUnavailableError),
        (400, envelope("NRC_FAILURE", "The search index is not available"), errors.IndexUnavailableError),
        (503, envelope("NRC_X", "", {"code": "NRC_INDEX_UNAVAILABLE"}), errors.IndexUnavailableError),
        (403, envelope("NRC_SESSION_INVALID"), errors.UnauthorisedError),
        (403, envelope("NRC_FAILURE", "Your session has expired"), errors.UnauthorisedError),
        (403, envelope("NRC_ACCESS_DENIED", "You have no access"), errors.ForbiddenError),
        (401, envelope("NRC_ACCESS_DENIED", "You have no access"), errors.UnauthorisedError),
    ],
)
@responses.activate
def test_codes_and_words_say_more_than_the_status(
    status: int, said: dict[str, Any], kind: type[errors.ImanageError]
) -> None:
    responses.get(URL, status=status, json=said)
    with pytest.raises(errors.ImanageError) as caught:
        client(total_seconds=0).json("GET", "libraries")
    assert type(caught.value) is kind
    assert caught.value.status == status


LOGIN = "<!doctype html><html><title>iManage Work</title><form><input name=u><input type='password'></form>"
ENTRA = "<!DOCTYPE html><html><head><title>Sign in to your account</title></head><input type=password></html>"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status": 302, "headers": {"Location": "/login?return=x"}}, errors.UnauthorisedError),
        ({"status": 302, "headers": {"Location": f"{HOST}/auth/login"}}, errors.UnauthorisedError),
        ({"status": 200, "body": LOGIN, "content_type": "text/html"}, errors.UnauthorisedError),
        ({"status": 200, "body": "<html><h1>Your session has expired</h1></html>"}, errors.UnauthorisedError),
        ({"status": 403, "body": LOGIN, "content_type": "text/html"}, errors.UnauthorisedError),
        ({"status": 403, "body": "<html><h1>Forbidden</h1></html>"}, errors.ForbiddenError),
        (
            {"status": 302, "headers": {"Location": "https://login.microsoftonline.com/x"}},
            errors.SignInPageError,
        ),
        ({"status": 302, "headers": {"Location": "https://sso.firm.com/login"}}, errors.SignInPageError),
        ({"status": 200, "body": ENTRA, "content_type": "text/html"}, errors.SignInPageError),
        ({"status": 401, "body": ENTRA, "content_type": "text/html"}, errors.SignInPageError),
        ({"status": 302, "headers": {"Location": "/maintenance"}}, errors.NotIManageError),
        ({"status": 200, "body": "<html><h1>Back soon</h1></html>"}, errors.NotIManageError),
        ({"status": 200, "body": '{"data": "Sign in"}'}, errors.NotUnderstoodError),
    ],
)
@responses.activate
def test_a_sign_in_page_in_place_of_an_answer(
    answer: dict[str, Any], kind: type[errors.ImanageError]
) -> None:
    responses.get(URL, **answer)
    with pytest.raises(errors.ImanageError) as caught:
        client().lists("GET", "libraries")
    assert type(caught.value) is kind


@responses.activate
def test_a_page_in_answer_to_a_save_leaves_its_outcome_unknown() -> None:
    """Sent again as after an ended sign-in, it could be stored twice."""
    responses.post(FOLDER, body=LOGIN, content_type="text/html")
    with pytest.raises(errors.OutcomeUnknownError):
        documents.create(client(), "Active!427", upload())
    responses.replace("POST", FOLDER, json={"error": {"code": "NRC_X"}})
    with pytest.raises(errors.OutcomeUnknownError):
        documents.create(client(), "Active!427", upload())


@pytest.mark.parametrize("status", [409, 423])
@responses.activate
def test_a_new_document_is_never_checked_out(status: int) -> None:
    responses.post(FOLDER, status=status, json=envelope("NRC_DUPLICATE", "Already there"))
    with pytest.raises(errors.ConflictError) as caught:
        documents.create(client(), "Active!427", upload())
    assert (caught.value.code, caught.value.remote_message) == (
        "imanage.conflict.new_document",
        "Already there",
    )


def sent_profile(at: int) -> dict[str, Any]:
    body = b"".join(bytes(part) for part in responses.calls[at].request.body)
    profile: dict[str, Any] = json.loads(body.split(b"\r\n\r\n", 1)[1].split(b"\r\n--", 1)[0])
    return profile


@pytest.mark.parametrize(
    "refusal",
    [
        envelope("NRC_INVALID_PARAM", "", {"field": "comment", "code_message": "Not known here"}),
        envelope("NRC_INVALID_PARAM", "", {"field": "doc_profile.Comment", "code_message": "Not known here"}),
        envelope("NRC_INVALID_PARAM", "comment is not known in a profile"),
    ],
)
@responses.activate
def test_a_field_refused_by_name_is_left_out_once_and_said(refusal: dict[str, Any]) -> None:
    url = f"{BASE}/libraries/Active/documents/Active!104512.3/versions"
    responses.post(url, status=400, json=refusal)
    responses.post(url, status=201, json={"data": document_row(version=4, id="Active!104512.4")})
    stored = documents.add_version(client(), VersionId("Active", 104512, 3), upload(comment="Ours"))
    assert sent_profile(0)["doc_profile"]["comment"] == "Ours"
    assert "comment" not in sent_profile(1)["doc_profile"]
    assert [(each.field, each.message[:8]) for each in stored.warnings] == [("comment", "left out")]


@pytest.mark.parametrize(
    "refusal",
    [
        envelope("NRC_INVALID_PARAM", "", {"field": "custom2", "code_message": "Is required"}),
        envelope("NRC_INVALID_PARAM", "", {"field": "name", "code_message": "Not allowed"}),
        envelope("NRC_INVALID_PARAM", "", {"field": "size", "code_message": "Larger than 100 bytes"}),
        envelope("NRC_INVALID_PARAM", "No."),
    ],
)
@responses.activate
def test_what_a_document_needs_is_not_left_out(refusal: dict[str, Any]) -> None:
    responses.post(FOLDER, status=400, json=refusal)
    with pytest.raises(errors.RejectedError):
        documents.create(client(), "Active!427", upload(comment="Ours"))
    assert len(responses.calls) == 1


@responses.activate
def test_a_second_refusal_is_final() -> None:
    responses.post(FOLDER, status=400, json=envelope("X", "", {"field": "comment"}))
    responses.post(FOLDER, status=400, json=envelope("X", "", {"field": "checksum"}))
    with pytest.raises(errors.RejectedError):
        documents.create(client(), "Active!427", upload(comment="Ours"))
    assert len(responses.calls) == 2
