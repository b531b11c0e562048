"""The matrix as data: which faults are tested with which kinds of transfer, and how.

A cell is a scenario, a kind and a count. What a scenario does stands in the file of its family.
"""

from __future__ import annotations

from tests.faults.matrix_machine import CLOCK, DATABASE, DISK, GONE, PROCESSES, STORE
from tests.faults.scenario import GET, GETS, NEW_DOCUMENT, NEW_VERSION, NO_UPLOAD, SAVES, Cell, Scenario

_NET, _IM, _OA = "network", "imanage", "oauth"

NETWORK = (
    Scenario(1, "name-not-found", "DNS does not know the server's name", _NET),
    Scenario(2, "name-time-out", "DNS does not answer", _NET),
    Scenario(3, "name-rebound", "the name suddenly leads to an address that is not allowed", _NET),
    Scenario(4, "refused", "nobody listens at the port", _NET),
    Scenario(5, "black-hole", "the connection is neither taken nor refused", _NET),
    Scenario(6, "tls-expired", "the certificate has expired", _NET),
    Scenario(7, "tls-wrong-host", "the certificate is another host's", _NET),
    Scenario(8, "tls-unknown-authority", "nobody we trust has signed the certificate", _NET),
    Scenario(9, "tls-too-old", "the server speaks nothing newer than TLS 1.1", _NET),
    Scenario(10, "reset-in-headers", "reset within the answer's head", _NET),
    Scenario(11, "answer-reset-at-1", "the answer is reset at 1 % of its body", _NET),
    Scenario(11, "answer-reset-at-50", "the answer is reset in the middle of its body", _NET),
    Scenario(11, "answer-reset-at-end", "the answer is reset before its last byte", _NET),
    Scenario(11, "upload-reset-at-1", "the upload is reset at 1 %", _NET, SAVES, NO_UPLOAD),
    Scenario(11, "upload-reset-at-50", "the upload is reset in the middle", _NET, SAVES, NO_UPLOAD),
    Scenario(11, "upload-reset-at-end", "the upload is reset before its last byte", _NET, SAVES, NO_UPLOAD),
    Scenario(12, "early-close", "the answer ends early, cleanly", _NET),
    Scenario(13, "stall", "the answer stops in its middle and nothing more comes", _NET),
    Scenario(13, "silent-upload", "the upload is swallowed and never answered", _NET, SAVES, NO_UPLOAD),
    Scenario(14, "trickle", "the end of the answer comes byte by byte", _NET),
    Scenario(15, "long-body", "more bytes come than Content-Length says", _NET),
    Scenario(16, "bad-chunk", "a chunked answer without its last chunk", _NET),
    Scenario(17, "no-length-chunked", "no Content-Length, chunked", _NET),
    Scenario(17, "no-length-close", "no Content-Length, until the connection ends", _NET),
    Scenario(18, "packed", "the body comes packed with gzip, with the packed length", _NET),
    Scenario(19, "redirect-elsewhere", "a redirect to another host", _NET),
    Scenario(19, "redirect-plain", "a redirect to plain http", _NET),
    Scenario(19, "redirect-loopback", "a redirect to this machine itself", _NET),
    Scenario(19, "redirect-loop", "a redirect to the same address for ever", _NET),
    Scenario(20, "proxy-407", "a proxy wants a password (407)", _NET),
    Scenario(20, "proxy-page-on-content", "a proxy answers the document's call with a page and 200", _NET),
    Scenario(20, "proxy-page-on-asking", "a proxy answers the first question with a page and 200", _NET),
    Scenario(21, "idle-closed", "a kept connection is closed while it rests", _NET),
    Scenario(22, "no-continue", "100 Continue never comes", _NET, SAVES, NO_UPLOAD),
    Scenario(23, "answered-early", "413 comes while the bytes are still going up", _NET, SAVES, NO_UPLOAD),
    Scenario(24, "answer-lost", "the answer is lost after iManage did its work", _NET),
    Scenario(24, "answer-lost-unseen", "lost, and iManage shows it only later", _NET, SAVES, NO_UPLOAD),
    Scenario(24, "request-lost", "the request is taken and lost before any work", _NET),
    Scenario(25, "giant-headers", "a mebibyte of headers", _NET),
    Scenario(25, "endless-json", "JSON that never ends", _NET),
    Scenario(26, "changed-byte-down", "a byte of the answer is changed", _NET, GETS, "see the next line"),
    Scenario(26, "changed-byte-up", "a byte is changed on its way to iManage", _NET, SAVES, NO_UPLOAD),
)

IMANAGE = (
    Scenario(65, "401-live", "401 on a token that was good", _IM),
    Scenario(66, "wall", "403: an ethical wall", _IM),
    Scenario(66, "wall-on-content", "403 only when the document itself moves", _IM),
    Scenario(67, "no-record", "404 NRC_NO_RECORD", _IM),
    Scenario(
        68,
        "checked-out",
        "someone has checked the document out",
        _IM,
        (GET, NEW_VERSION),
        "it is not there yet",
    ),
    Scenario(68, "conflict-on-content", "409 when the document itself moves", _IM),
    Scenario(69, "too-large", "the file is larger than iManage takes", _IM, SAVES, NO_UPLOAD),
    Scenario(70, "415", "415 to the upload", _IM, SAVES, NO_UPLOAD),
    Scenario(70, "required-field", "422 with a required profile field", _IM, SAVES, NO_UPLOAD),
    Scenario(70, "invalid-param", "400 NRC_INVALID_PARAM", _IM),
    Scenario(71, "throttled-reset", "429 with x-ratelimit-reset", _IM),
    Scenario(71, "throttled-retry-after", "429 with Retry-After", _IM),
    Scenario(71, "throttled-both", "429 with both", _IM),
    Scenario(71, "throttled-silent", "429 with neither", _IM),
    Scenario(71, "throttled-content", "429 when the document itself moves", _IM),
    Scenario(72, "500", "500 when the document moves", _IM),
    Scenario(72, "502", "502 with a page when the document moves", _IM),
    Scenario(72, "503", "503 maintenance page when the document moves", _IM),
    Scenario(72, "504", "504 with a page to a question", _IM),
    Scenario(73, "other-customer", "the server is another customer's now", _IM),
    Scenario(74, "library-hidden", "the library is hidden from the person", _IM),
    Scenario(
        75,
        "grew-before",
        "a newer version appears before we look",
        _IM,
        (GET, NEW_VERSION),
        "it has no versions yet",
    ),
    Scenario(
        75,
        "grew-between",
        "a newer version appears between the look and the sending",
        _IM,
        (GET, NEW_VERSION),
        "it has no versions yet",
    ),
    Scenario(
        75,
        "same-bytes-by-another",
        "someone else saves the same bytes while our answer is lost",
        _IM,
        SAVES,
        NO_UPLOAD,
    ),
    Scenario(76, "empty", "documents of no bytes", _IM),
    Scenario(77, "no-checksum", "profiles have no checksum", _IM),
    Scenario(77, "no-checksum-answer-lost", "no checksum, and the answer is lost", _IM, SAVES, NO_UPLOAD),
    Scenario(77, "wrong-checksum", "profiles have a wrong checksum", _IM),
    Scenario(78, "same-name", "the folder has documents of these names", _IM),
    Scenario(79, "folder-deleted", "the folder is deleted", _IM, (NEW_DOCUMENT,), "the folder plays no part"),
    Scenario(
        79,
        "document-deleted",
        "the document is deleted in iManage",
        _IM,
        (GET, NEW_VERSION),
        "it is not there yet",
    ),
    Scenario(
        80, "name-changed", "iManage stores under a changed name", _IM, (NEW_DOCUMENT,), "no name is given"
    ),
    Scenario(
        81, "paging", "the folder grows while it is being read", _IM, (NEW_DOCUMENT,), "no folder is read"
    ),
)

OAUTH = (
    Scenario(56, "token-400", "the token endpoint answers 400 with a nested error", _OA),
    Scenario(56, "token-page", "the token endpoint answers a page", _OA),
    Scenario(56, "token-200-error", "the token endpoint answers 200 with an error", _OA),
    Scenario(56, "token-503", "the token endpoint answers 503", _OA),
    Scenario(56, "token-slow", "the token endpoint does not answer in time", _OA),
    Scenario(57, "no-refresh-token", "iManage gave no refresh token", _OA),
    Scenario(58, "rotated-and-lost", "the refresh token was rotated and the answer lost", _OA),
    Scenario(59, "revoked", "the firm has revoked the sign-in", _OA),
    Scenario(60, "idles-out", "the access token ends as the document moves", _OA),
    Scenario(61, "expires-absent", "`expires_in` is missing", _OA),
    Scenario(61, "expires-zero", "`expires_in` is 0", _OA),
    Scenario(61, "expires-words", "`expires_in` is a word", _OA),
    Scenario(61, "expires-huge", "`expires_in` is huge", _OA),
    Scenario(62, "secret-rotated", "the firm has changed the Client Secret", _OA),
    Scenario(63, "key-lost", "the encryption key is another one", _OA),
    Scenario(64, "other-user", "the person signs in again as someone else", _OA),
)

SCENARIOS: tuple[Scenario, ...] = (
    *NETWORK,
    *IMANAGE,
    *OAUTH,
    *PROCESSES,
    *GONE,
    *CLOCK,
    *DISK,
    *STORE,
    *DATABASE,
)

ELSEWHERE: dict[int, str] = {
    31: "A restart of the web process during a sign-in touches no transfer.",
    36: "A limit on processes does not bind root, who runs these tests; carrying an item starts none.",
    82: "Not produced as a transfer: tests/unit/imanage/test_ids.py makes addresses of ids with odd characters.",
}
"""Faults of the list without a cell, and why."""


def cells(family: str = "") -> tuple[Cell, ...]:
    """All cells of the table, or those of one family."""
    return tuple(
        Cell(each, kind, count == "many")
        for each in SCENARIOS
        if family in ("", each.family)
        for kind in each.kinds
        for count in each.counts
    )
