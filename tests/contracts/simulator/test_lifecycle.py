"""Start, stop, restart with stored data, the command line and the control endpoints."""

from __future__ import annotations

import io
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import docx
import openpyxl
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from simulator import App, Fault, Generated, Library, Simulator, User, World, large_pdf, practice_world
from simulator.samples import make
from tests.contracts.simulator.caller import Caller


def test_it_starts_at_once_and_leaves_nothing_behind() -> None:
    threads = set(threading.enumerate())
    sim = Simulator()
    began = time.monotonic()
    sim.start()
    assert time.monotonic() - began < 5
    folder = next(iter(Path(str(sim._temp_dir)).iterdir())).parent
    with Caller(sim, "alice") as alice:
        sim.faults.add(Fault("stall", path="/download", at=10, seconds=60))
        with alice.get(f"documents/{sim.world.named('Tax deed').id()}/download", stream=True):
            began = time.monotonic()
            sim.stop()
    assert time.monotonic() - began < 10, "it waited for the stalled download"
    assert set(threading.enumerate()) == threads
    assert not folder.exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", sim.port), timeout=1)


def test_the_world_is_the_same_every_time() -> None:
    one, two = practice_world(), practice_world()
    for library in ("Active", "Knowledge"):
        assert [
            (d.id(), d.latest.name, d.latest.edited, d.latest.content) for d in one.documents(library)
        ] == [(d.id(), d.latest.name, d.latest.edited, d.latest.content) for d in two.documents(library)]
    assert sum(len(one.workspaces(library)) for library in ("Active", "Knowledge")) == 40


def test_a_restart_finds_everything(tmp_path: Path) -> None:
    with Simulator(data_dir=tmp_path) as first, Caller(first, "alice") as alice:
        folder = first.world.folder("Drafts")
        made = alice.send(
            "POST", f"folders/{folder.id}/documents", b"kept", {"name": "Kept", "extension": "txt"}
        )
        row = made.json()["data"]
        alice.send("POST", f"documents/{row['id']}/versions", b"kept two")
        alice.call("POST", f"documents/{row['id']}/lock", json={"comments": "Still mine"})
        gone = first.world.named("Heads of terms – Project Heron")
        assert alice.call("DELETE", f"documents/{gone.id()}").status_code in (204, 403)
        first.world.remove_document(gone)
        token, port = str(alice.session.headers["X-Auth-Token"]), first.port
        new_folder = first.world.add_folder(folder, "Kept folder")
    with Simulator(data_dir=tmp_path, port=port) as second, Caller(second, "alice") as alice:
        alice.session.headers["X-Auth-Token"] = token
        rows = alice.data(f"documents/{row['id']}/versions")
        assert [alice.get(f"documents/{one['id']}/download").content for one in rows] == [
            b"kept",
            b"kept two",
        ]
        assert alice.data(f"documents/{row['id']}/checkout")["comments"] == "Still mine"
        assert second.world.document(*gone.key) is None
        assert alice.data(f"folders/{new_folder.id}")["name"] == "Kept folder"
        again = alice.send(
            "POST", f"folders/{folder.id}/documents", b"x", {"name": "Next", "extension": "txt"}
        )
        assert again.json()["data"]["document_number"] > row["document_number"]


def test_a_custom_world() -> None:
    world = World([User("ZOE", "pass")], [App("client", "secret", ("http://127.0.0.1/back",))])
    world.add_library(Library("KM-2_EU"))
    folder = world.add_folder(world.add_workspace("KM-2_EU", "Matter", "ZOE"), "Folder")
    made = world.add_document(folder, "Big", "dat", Generated(5_000_001, seed=9))
    with Simulator(world=world) as sim, Caller(sim, "zoe", "KM-2_EU") as zoe:
        content = zoe.get(f"documents/{made.id()}/download").content
        assert len(content) == 5_000_001
        assert (
            zoe.data(f"documents/{made.id()}")["checksum"] == "SHA256:" + made.latest.content.sha256.upper()
        )
        assert (
            zoe.get(f"documents/{made.id()}/download", headers={"Range": "bytes=1048570-2097200"}).content
            == (content[1048570:2097201])
        )


def test_sixteen_clients_at_once() -> None:
    with Simulator() as sim:
        folder = sim.world.folder("Drafts")

        def work(number: int) -> int:
            with Caller(sim, "alice") as one:
                for turn in range(5):
                    name = {"name": f"Client {number} turn {turn}", "extension": "txt"}
                    body = str(number * turn).encode() * 1000
                    row = one.send("POST", f"folders/{folder.id}/documents", body, name).json()["data"]
                    assert one.get(f"documents/{row['id']}/download").content == body
            return number

        before = len(sim.world.documents("Active"))
        with ThreadPoolExecutor(16) as pool:
            assert sorted(pool.map(work, range(16))) == list(range(16))
        assert len(sim.world.documents("Active")) == before + 80


@pytest.mark.parametrize("signal_sent", [signal.SIGTERM, signal.SIGINT])
def test_the_command_says_where_it_is_and_stops_cleanly(signal_sent: signal.Signals, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "simulator",
        "--port",
        "0",
        "--data-dir",
        str(tmp_path),
    ]
    command += [
        "--client-id",
        "abc",
        "--secrets",
        "-",
        "--redirect-uri",
        "http://x/1",
        "--redirect-uri",
        "http://x/2",
    ]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write('{"client_secret": "def", "control_token": "t"}')
        process.stdin.close()
        lines = [process.stdout.readline() for _ in range(5)]
        url = lines[0].split()[-1]
        assert "alice / alice-practice" in lines[1]
        assert "client ID abc, client secret def" in lines[2]
        assert "http://x/1, http://x/2" in lines[3]
        assert requests.get(f"{url}/api", timeout=5).status_code == 200
        assert requests.get(f"{url}/_simulator/", timeout=5).status_code == 403
        process.send_signal(signal_sent)
        assert process.wait(5) == 0
        assert process.stderr.read() == ""


@pytest.mark.parametrize("told", ["", "{", "[]", '{"client": "x"}', None])
def test_secrets_that_cannot_be_read_are_said_plainly(told: str | None, tmp_path: Path) -> None:
    source = tmp_path / "secrets.json"
    if told is not None:
        source.write_text(told)
    command = [sys.executable, "-m", "simulator", "--port", "0", "--secrets", str(source)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("The practice iManage cannot read its secrets from")
    assert "Traceback" not in ended.stderr


def test_a_taken_port_is_said_plainly() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "simulator", "--port", port]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("The practice iManage cannot listen on 127.0.0.1")
    assert "Traceback" not in ended.stderr


def test_control_over_http() -> None:
    with Simulator(control_token="t") as sim, Caller(sim, "alice") as alice:
        control, key = f"{sim.url}/_simulator", {"X-Control-Token": "t"}
        assert requests.get(f"{control}/faults", timeout=5).status_code == 403
        added = requests.post(
            f"{control}/faults", json={"kind": "slow", "seconds": 0}, headers=key, timeout=5
        )
        assert added.status_code == 201
        wrong = requests.post(f"{control}/faults", json={"kind": "slow", "colour": 1}, headers=key, timeout=5)
        assert (wrong.status_code, wrong.json()["error"]["code_message"]) == (400, "a fault has no colour")
        alice.get("types")
        listed = requests.get(f"{control}/faults", headers=key, timeout=5).json()["data"]
        assert (listed[0]["kind"], listed[0]["times_applied"]) == ("slow", 1)
        assert requests.delete(f"{control}/faults", headers=key, timeout=5).status_code == 204
        assert sim.faults.list() == []
        seen = requests.get(f"{control}/requests", headers=key, timeout=5).json()["data"]
        assert [(one["method"], one["status"], one["user"]) for one in seen] == [("GET", 200, "ALICE")]
        dial = requests.put(f"{control}/settings", json={"wall_status": 404}, headers=key, timeout=5)
        assert dial.json()["data"]["wall_status"] == 404 == sim.settings.wall_status
        for bad in ({"no_dial": 1}, {"wall_status": "x"}, {"list_shape": "odd"}):
            assert requests.put(f"{control}/settings", json=bad, headers=key, timeout=5).status_code == 400
        page = requests.get(f"{control}/", headers=key, timeout=5)
        assert "Practice iManage: not a real system" in page.text


@pytest.mark.parametrize("title", ["Plain", "Договор (копия) \\ & <b>", "合同"])
def test_samples_are_valid_and_name_their_document(title: str) -> None:
    assert docx.Document(io.BytesIO(make("docx", title))).paragraphs[0].text == title
    book = openpyxl.load_workbook(io.BytesIO(make("xlsx", title)))
    assert book.active is not None and book.active["A1"].value == title
    assert zipfile.ZipFile(io.BytesIO(make("docx", title))).testzip() is None
    assert make("docx", title) == make("docx", title)


def places_are_right(pdf: bytes) -> bool:
    """Every offset of the cross-reference table points to its object."""
    start = int(pdf.rsplit(b"startxref\n", 1)[1].split(b"\n", 1)[0])
    table = pdf[start:].splitlines()
    assert table[0] == b"xref"
    offsets = [int(line[:10]) for line in table[3:] if line.endswith(b" n ")]
    assert len(offsets) == int(table[1].split()[1]) - 1
    return all(pdf[at:].startswith(b"%d 0 obj" % number) for number, at in enumerate(offsets, 1))


@pytest.mark.parametrize("size", [5000, 99_999, (3 << 20) + 17])
def test_large_pdfs_have_their_size_and_their_places(size: int) -> None:
    content = large_pdf("Trial bundle (1)", size, seed=3)
    data = b"".join(content.blocks())
    assert len(data) == size == content.size
    assert places_are_right(data)
    assert places_are_right(make("pdf", "Short"))


def test_the_hashes_that_are_known_beforehand_are_right() -> None:
    world = practice_world()
    for name in ("Data room index", "Disclosure bundle", "Trial bundle"):
        known = world.named(name).latest.content
        assert known.sha256 == vars(known)["inner"].sha256


def certificate(folder: Path) -> Path:
    """A private certificate for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Practice iManage")])
    begun = datetime.now(UTC) - timedelta(hours=1)
    made = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), begun, begun + timedelta(1)
        )
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(secret + made.public_bytes(Encoding.PEM))
    return path


def test_it_can_speak_tls(tmp_path: Path) -> None:
    pem = certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    with Simulator(tls=tls) as sim, Caller(sim, "alice") as alice:
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(f"{sim.url}/api", timeout=5)
        alice.session.verify = str(pem)
        assert (
            alice.session.get(f"{sim.url}/api", timeout=5)
            .json()["data"]["versions"][0]["url"]
            .startswith("https:")
        )
        document = sim.world.named("Data room index")
        assert len(alice.get(f"documents/{document.id()}/download").content) == 10 << 20
        sim.faults.add(Fault("cut", path="/download", how="reset"))
        with pytest.raises(requests.exceptions.RequestException):
            alice.get(f"documents/{document.id()}/download")
