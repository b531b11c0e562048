"""The sandboxed process as it is: what it gives, and what it cannot do."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import pytest

from sandbox import process
from tests.support.documents import paragraph, pdf, picture, scan, word
from tests.support.repository import ROOT


@contextmanager
def file_of(data: bytes) -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        yield file


def compare(old: bytes, new: bytes) -> dict[str, Any]:
    with file_of(old) as one, file_of(new) as two:
        found: dict[str, Any] = json.loads(process.run("compare", [one, two]))
    return found


def preview(data: bytes, page: int = 1) -> tuple[dict[str, object], bytes]:
    with file_of(data) as file:
        facts, _, image = process.run("preview", [file], page=page).partition(b"\n")
    return json.loads(facts), image


def test_word_pdf_and_text_are_compared_with_one_another() -> None:
    same = [[["same", "The rent is due."]]]
    for old, new in (
        (word("The rent is due."), pdf(["The rent is due."])),
        (b"The rent is due.", word("The rent is due.")),
    ):
        assert compare(old, new) == {"paragraphs": same, "tracked": [False, False]}


def test_a_refused_file_is_named() -> None:
    with pytest.raises(process.SandboxError) as refused:
        compare(word("Text"), scan())
    assert (refused.value.code, refused.value.file) == ("no_text", 1)


def test_a_comparison_that_takes_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "SECONDS", 0.05)
    with pytest.raises(process.SandboxError) as refused:
        compare(word("Text"), word("Text"))
    assert refused.value.code == "too_long"


def test_a_document_that_needs_too_much_memory_is_refused() -> None:
    with pytest.raises(process.SandboxError) as refused:
        preview(picture("BMP", (1, 1)).replace(b"\x01\0\0\0\x01\0\0\0", b"\xff\xff\0\0\xff\xff\0\0", 1))
    assert refused.value.code == "too_large"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"])
def test_an_image_is_drawn_again(kind: str) -> None:
    facts, image = preview(picture(kind))
    assert facts == {"pages": 1, "page": 1, "width": 60, "height": 40, "text": ""}
    assert image[:4] == b"RIFF" and image[8:12] == b"WEBP"


def test_pages_of_a_pdf() -> None:
    data = pdf(["First page"], ["Second page"])
    for asked, page, words in ((1, 1, "First page"), (2, 2, "Second page"), (9, 2, "Second page")):
        facts, image = preview(data, asked)
        assert (facts["page"], facts["pages"], facts["text"]) == (page, 2, words)
        assert image[:4] == b"RIFF"


def test_what_is_no_picture_is_not_shown() -> None:
    for data in (
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html>",
        word("Text"),
    ):
        with pytest.raises(process.SandboxError) as refused:
            preview(data)
        assert refused.value.code == "type"


FORBIDDEN = """
import os, socket, subprocess, sys
from sandbox import limits
limits.apply()
for attempt in (
    lambda: open("/etc/hostname"),
    lambda: open("written", "w"),
    lambda: socket.socket(),
    lambda: socket.create_connection(("127.0.0.1", 9)),
    lambda: os.pipe(),
    lambda: subprocess.run(["/bin/true"], check=True),
    lambda: bytearray(limits.MEMORY),
):
    try:
        attempt()
    except (OSError, MemoryError):
        continue
    sys.exit("allowed")
print("refused", end="")
"""


def test_the_process_opens_no_file_and_no_connection() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORBIDDEN], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("refused", 0), done.stderr


def test_a_hundred_pages_are_compared_within_five_seconds() -> None:
    clauses = [
        f"{number}. " + f"The Tenant shall pay the Rent number {number} on the usual quarter days. " * 5
        for number in range(1200)
    ]
    old = word(body="".join(map(paragraph, clauses)))
    new = word(body="".join(paragraph(clause.replace("quarter", "month")) for clause in clauses))
    found = compare(old, new)
    assert len(found["paragraphs"]) == 1200
