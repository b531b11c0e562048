"""Whatever answers, and however broken: the check ends, says something, and repeats nothing that could do harm."""

from __future__ import annotations

import pytest

from imanage.types import AppCredentials
from tests.support.loopback_servers import line, ok
from tests.support.server_checks import UNKNOWN_SIGN_IN, answer, checked, page, server_at, site

ODD = {
    "a redirect to no address": answer(b"302 Found", b"", b"Location: http://[half"),
    "a redirect to nowhere": answer(b"302 Found"),
    "a redirect in another alphabet": answer(
        b"302 Found", b"", "Location: https://präsentation.test/ä".encode()
    ),
    "packed bytes that are not packed": ok(b"not gzip at all", b"Content-Encoding: gzip"),
    "a length that is no number": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}",
    "a chunk that never ends": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n{",
    "no status": b"HTTP/1.1\r\n\r\n",
    "not HTTP": b"220 smtp.firm.test ESMTP\r\n",
    "a head without an end": b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 20,
    "a great many headers": answer(b"200 OK", b"{}", *(b"X-%d: y" % number for number in range(200))),
    "an unusual status": answer(b"299 Whatever", b"<html><title>?</title></html>"),
    "a body in no encoding": ok(b"\xff\xfe\x00{", b"Content-Type: text/html; charset=x-unknown"),
    "numbers in place of objects": ok(b'{"data": 7, "error": [], "user": null}'),
    "a customer that is an object": ok(b'{"data": {"user": {"customer_id": {"a": 1}}, "dms_version": [1]}}'),
    "errors of every shape": answer(
        b"401 Unauthorized", b'{"error": {"code": {"a": 1}, "messages": {"b": 2}}}'
    ),
    "a title full of markup": page(b"200 OK", b"<script>alert(1)</script>\x1b[31m\r\n  red" + b"x" * 5000),
    "a wait without end": answer(b"429 Too Many", b"", b"Retry-After: 99999999999999999999999"),
    "a date that is none": ok(UNKNOWN_SIGN_IN, b"Date: Thu, 99 Foo 99999 99:99:99 GMT"),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("place", ["GET /api ", "authorize", "token", ""])
def test_the_check_ends_with_words(name: str, place: str) -> None:
    good = {"GET /api ": ok(UNKNOWN_SIGN_IN), "authorize": page(b"200 OK", b"Sign in")}
    with line(
        site({place: ODD[name], **{path: said for path, said in good.items() if path != place}})
    ) as there:
        found = checked(server_at(f"http://127.0.0.1:{there.port}"))
    for result in found.report.results:
        assert result.sentence
        for _, value in result.facts:
            assert value.isprintable() and len(value) <= 400
    assert found.report.state != "healthy"


def test_nothing_in_a_report_is_a_secret() -> None:
    """Also where the server repeats whatever it is given."""
    secret = "s3cret-that-is-repeated"
    said = answer(
        b"400 Bad Request", b'{"error": {"code": "Bad", "message": "client_secret=%b"}}' % secret.encode()
    )
    pages = {"token": said, "GET /api ": ok(UNKNOWN_SIGN_IN), "authorize": page(b"200 OK", b"Sign in")}
    with line(site(pages)) as there:
        server = server_at(f"http://127.0.0.1:{there.port}")
        found = checked(server, credentials=AppCredentials("known", secret))
    assert found["secret"].code in {"secret.out_of_step", "secret.inconclusive"}
    assert secret not in str(found.report)
