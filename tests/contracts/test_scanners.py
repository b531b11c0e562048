"""Each kind of scanner: Debian's clamd, an ICAP server and programs. Without a clear answer nothing passes."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.scanning import scanners
from services.scanning.scanners import ScannerUnavailableError, TooLargeToScanError, scan
from tests.support.scanners import EICAR, STREAM_MOST, IcapServer, clamd, icap

CLEAN = b"A lease of the wharf. " * 100


@pytest.fixture(scope="module")
def clamd_url() -> Iterator[str]:
    with clamd() as url:
        yield url


@pytest.fixture
def icap_server() -> Iterator[IcapServer]:
    with icap() as server:
        yield server


def program(folder: Path, text: str) -> str:
    path = folder / "scanner"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return f"command:{path}"


def pieces_of(data: bytes) -> list[bytes]:
    return [data[at : at + 1000] for at in range(0, len(data), 1000)]


def test_clamd_finds_malware_and_passes_clean_files(clamd_url: str) -> None:
    assert scan(clamd_url, pieces_of(CLEAN), len(CLEAN)) is None
    assert scan(clamd_url, [EICAR], len(EICAR)) == "Eicar-Test-Signature.UNOFFICIAL"
    assert scan(clamd_url, [bytes([each]) for each in EICAR], len(EICAR)) == "Eicar-Test-Signature.UNOFFICIAL"
    assert scan(clamd_url, [], 0) is None


def test_clamd_reports_a_file_too_large_for_it(clamd_url: str) -> None:
    piece = os.urandom(1 << 20)
    with pytest.raises(TooLargeToScanError):
        scan(clamd_url, [piece] * (3 * STREAM_MOST // len(piece)), 3 * STREAM_MOST)


def test_icap_finds_malware_and_passes_clean_files(icap_server: IcapServer) -> None:
    assert scan(icap_server.url, pieces_of(CLEAN), len(CLEAN)) is None
    assert icap_server.seen == [CLEAN]
    assert scan(icap_server.url, [EICAR], len(EICAR)) == "Type=0; Threat=Eicar;"
    icap_server.answer = b"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0\r\n\r\n"
    assert scan(icap_server.url, [CLEAN], len(CLEAN)) == "something that is not allowed"


@pytest.mark.parametrize(
    "answer",
    [
        b"ICAP/1.0 500 Server error\r\n\r\n",
        b"ICAP/1.0 404 No such service\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"ICAP/1.0\r\n\r\n",
        b"\r\n\r\n",
        b"204" * 10_000,
    ],
)
def test_an_unclear_icap_response_counts_as_unavailable(icap_server: IcapServer, answer: bytes) -> None:
    icap_server.answer = answer
    with pytest.raises(ScannerUnavailableError):
        scan(icap_server.url, [CLEAN], len(CLEAN))


def test_a_program_answers_by_its_exit_status(tmp_path: Path) -> None:
    assert scan(program(tmp_path, "cat > /dev/null"), pieces_of(CLEAN), len(CLEAN)) is None
    found = program(tmp_path, "cat > /dev/null; echo 'A Bad Thing'; echo more; exit 1")
    assert scan(found, [EICAR], len(EICAR)) == "A Bad Thing"
    assert scan(program(tmp_path, "exit 1"), [bytes(1 << 20)] * 4, 4 << 20) == "something"
    got = tmp_path / "got"
    scan(program(tmp_path, f"cat > {got}"), pieces_of(CLEAN), len(CLEAN))
    assert got.read_bytes() == CLEAN


@pytest.mark.parametrize("text", ["exit 2", "kill -9 $$", "exit 127"])
def test_a_program_that_fails_counts_as_unavailable(tmp_path: Path, text: str) -> None:
    with pytest.raises(ScannerUnavailableError):
        scan(program(tmp_path, text), [CLEAN], len(CLEAN))


@pytest.mark.parametrize("size", [1, 2000, 4 << 20], ids=["a byte", "within the pipe", "more than a pipe"])
@pytest.mark.parametrize("text", ["exit 0", "sleep 0.2; exit 0", "head -c 1000 > /dev/null; exit 0"])
def test_a_program_that_did_not_read_the_whole_file_cannot_pass_it(
    tmp_path: Path, text: str, size: int
) -> None:
    if "head" in text and size <= 1000:
        assert scan(program(tmp_path, text), [bytes(size)], size) is None
        return
    with pytest.raises(ScannerUnavailableError):
        scan(program(tmp_path, text), [bytes(size)], size)


@pytest.mark.parametrize("hangs_up", [True, False], ids=["and hangs up", "and stays"])
def test_an_icap_response_before_the_last_byte_passes_nothing(
    icap_server: IcapServer, hangs_up: bool
) -> None:
    icap_server.after_bytes = 1000
    icap_server.hangs_up = hangs_up
    answered = icap_server.has_answered

    def pieces() -> Iterator[bytes]:
        yield CLEAN[:1000]
        assert answered.wait(10)
        yield EICAR

    with pytest.raises(ScannerUnavailableError):
        scan(icap_server.url, pieces(), 1000 + len(EICAR))


def test_an_unreachable_scanner_counts_as_unavailable(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    for url in (
        f"clamd://{tmp_path}/none",
        f"icap://127.0.0.1:{port}/avscan",
        f"command:{tmp_path}/none",
        f"command:{tmp_path}",
    ):
        with pytest.raises(ScannerUnavailableError):
            scan(url, [CLEAN], len(CLEAN))


def test_a_signature_name_is_one_short_line(tmp_path: Path) -> None:
    found = scan(program(tmp_path, "cat > /dev/null; printf '%0500d' 7; exit 1"), [CLEAN], len(CLEAN))
    assert found is not None and len(found) == scanners.MAX_NAME


@pytest.mark.parametrize("drip", [False, True], ids=["silent", "a byte now and then"])
def test_one_deadline_covers_the_whole_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drip: bool
) -> None:
    monkeypatch.setattr(scanners, "BASE_TIMEOUT", 0.5)
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        over = threading.Event()

        def answer() -> None:
            line, _ = listening.accept()
            with line:
                while not over.wait(0.1):
                    if drip:
                        try:
                            line.sendall(b"x")
                        except OSError:
                            return

        thread = threading.Thread(target=answer)
        thread.start()
        started = time.monotonic()
        with pytest.raises(ScannerUnavailableError):
            scan(f"clamd://{path}", [CLEAN], len(CLEAN))
        assert time.monotonic() - started < 30
        over.set()
        thread.join()


def test_a_program_that_hangs_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanners, "BASE_TIMEOUT", 0.5)
    with pytest.raises(ScannerUnavailableError):
        scan(program(tmp_path, "exec sleep 600"), [CLEAN], len(CLEAN))
