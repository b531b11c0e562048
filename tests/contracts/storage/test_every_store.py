"""The contract of every store."""

import hashlib
import multiprocessing
import os
import secrets
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage import CHUNK, BlobDamagedError, BlobMissingError, BlobStore, PartialBusyError, StorageFullError
from tests.support import stores


def put(store: BlobStore, data: bytes) -> str:
    with store.writer() as writer:
        writer.write(data)
        return writer.publish().sha256


def addresses(store: BlobStore) -> set[str]:
    return {blob.sha256 for blob in store.blobs()}


def test_what_goes_in_comes_out_under_its_hash(store: BlobStore) -> None:
    pieces = [secrets.token_bytes(700_000) for _ in range(15)]
    data = b"".join(pieces)
    with store.writer(expected_size=len(data)) as writer:
        for piece in pieces:
            writer.write(piece)
        assert writer.size == len(data)
        blob = writer.publish()
    assert blob.sha256 == hashlib.sha256(data).hexdigest()
    assert blob.size == len(data) == store.size(blob.sha256)
    assert store.exists(blob.sha256)
    with store.open(blob.sha256) as reader:
        assert reader.size == len(data)
        assert b"".join(reader) == data
    with closing(store.stream(blob.sha256)) as stream:
        assert stream.read() == data
    store.verify(blob.sha256)


@pytest.mark.parametrize(
    "pieces", [[CHUNK] * 3, [CHUNK, 1, 4_095, CHUNK, CHUNK, 77], [5], [CHUNK - 1, 1, CHUNK]]
)
def test_what_is_put_into_the_buffer_comes_out_too(store: BlobStore, pieces: list[int]) -> None:
    data = secrets.token_bytes(sum(pieces))
    taken = 0
    with store.partial("buffer", len(data)) as writer:
        for most in pieces:
            buffer = writer.buffer()
            count = min(most, len(buffer), len(data) - taken)
            buffer[:count] = data[taken : taken + count]
            writer.advance(count)
            taken += count
            assert writer.size == taken
    with store.partial("buffer", len(data)) as writer:
        assert (writer.size, writer.sha256) == (taken, hashlib.sha256(data[:taken]).hexdigest())
        while taken < len(data):
            buffer = writer.buffer()[: len(data) - taken]
            buffer[:] = data[taken : taken + len(buffer)]
            writer.advance(len(buffer))
            taken += len(buffer)
        blob = writer.publish()
    assert blob.sha256 == hashlib.sha256(data).hexdigest()
    store.verify(blob.sha256)


def test_pieces_and_blocks_may_alternate(store: BlobStore) -> None:
    data = secrets.token_bytes(4 * CHUNK)
    with store.writer() as writer:
        for start in range(0, len(data), 2 * CHUNK):
            writer.buffer()[:] = data[start : start + CHUNK]
            writer.advance(CHUNK)
            writer.write(data[start + CHUNK : start + 2 * CHUNK])
        blob = writer.publish()
    assert blob.sha256 == hashlib.sha256(data).hexdigest()
    store.verify(blob.sha256)


def test_blocks_can_be_begun_again(store: BlobStore) -> None:
    with store.writer() as writer:
        for letter in b"xy":
            for _ in range(3):
                writer.buffer()[:] = bytes([letter]) * CHUNK
                writer.advance(CHUNK)
            if letter == ord("x"):
                writer.restart()
        blob = writer.publish()
    assert (blob.size, blob.sha256) == (3 * CHUNK, hashlib.sha256(b"y" * 3 * CHUNK).hexdigest())
    store.verify(blob.sha256)


@pytest.mark.parametrize("start", [0, 1, 4_999, 5_000, 6_000])
def test_reading_from_the_middle(store: BlobStore, start: int) -> None:
    data = secrets.token_bytes(5_000)
    address = put(store, data)
    with closing(store.stream(address, start)) as stream:
        chunks = list(iter(lambda: stream.read(1_000), b""))
    assert b"".join(chunks) == data[start:]
    assert all(0 < len(chunk) <= 1_000 for chunk in chunks)
    buffer = memoryview(bytearray(1_000))
    with store.open(address, start) as reader:
        assert b"".join(iter(lambda: bytes(buffer[: reader.readinto(buffer)]), b"")) == data[start:]


def test_an_empty_document_is_a_document(store: BlobStore) -> None:
    address = put(store, b"")
    assert address == hashlib.sha256(b"").hexdigest()
    assert store.size(address) == 0
    with store.open(address, verify=True) as reader:
        assert reader.read() == b""
    with closing(store.stream(address)) as stream:
        assert stream.read() == b""


def test_the_same_bytes_twice_are_one_blob(store: BlobStore) -> None:
    data = secrets.token_bytes(1_000)
    assert put(store, data) == put(store, data)
    assert [blob.size for blob in store.blobs() if blob.sha256 == hashlib.sha256(data).hexdigest()] == [1_000]


def test_leaving_without_publishing_leaves_nothing(store: BlobStore) -> None:
    before = addresses(store)
    with store.writer() as writer:
        writer.write(b"never to be seen " * 1_000)
    with pytest.raises(RuntimeError), store.writer() as writer:
        writer.write(b"nor this")
        raise RuntimeError
    assert addresses(store) == before
    assert store.sweep(timedelta(0)) == 0


def test_a_published_file_takes_no_more_bytes(store: BlobStore) -> None:
    with store.writer() as writer:
        writer.write(secrets.token_bytes(10))
        writer.publish()
        with pytest.raises(ValueError):
            writer.write(b"more")
        with pytest.raises(ValueError):
            writer.publish()


def test_a_partial_is_resumed_at_its_end(store: BlobStore) -> None:
    first, second = secrets.token_bytes(100_000), secrets.token_bytes(50_000)
    with store.partial("item-1") as writer:
        writer.write(first)
    with store.partial("item-1") as writer:
        assert writer.size == len(first)
        assert writer.sha256 == hashlib.sha256(first).hexdigest()
        writer.write(second)
        blob = writer.publish()
    with closing(store.stream(blob.sha256)) as stream:
        assert stream.read() == first + second
    with store.partial("item-1") as writer:
        assert writer.size == 0
    store.forget("item-1")


def test_a_partial_can_begin_again(store: BlobStore) -> None:
    with store.partial("item-2") as writer:
        writer.write(b"of an older version, and longer")
        writer.restart()
        assert writer.size == 0
        writer.write(b"the newer")
        blob = writer.publish()
    assert blob.sha256 == hashlib.sha256(b"the newer").hexdigest()
    assert store.size(blob.sha256) == len(b"the newer")


def test_two_never_write_the_same_partial(store: BlobStore) -> None:
    with store.partial("item-3") as writer:
        writer.write(b"mine")
        with pytest.raises(PartialBusyError), store.partial("item-3"):
            pass
        with pytest.raises(PartialBusyError):
            store.forget("item-3")
        assert store.sweep(timedelta(0)) == 0
    store.forget("item-3")
    with store.partial("item-3") as writer:
        assert writer.size == 0
    store.forget("item-3")


def _write_and_die(store: BlobStore, token: str) -> None:
    with store.partial(token) as writer:
        writer.write(b"x" * 4_096)
        os.kill(os.getpid(), 9)


def test_a_killed_writer_leaves_its_bytes_and_no_lock(store: BlobStore) -> None:
    process = multiprocessing.get_context("fork").Process(target=_write_and_die, args=(store, "item-4"))
    process.start()
    process.join(30)
    assert process.exitcode == -9
    with store.partial("item-4") as writer:
        assert writer.size == 4_096
    assert store.sweep(timedelta(hours=1)) == 0
    assert store.sweep(timedelta(0)) == 1


@pytest.mark.parametrize("token", ["../../etc/passwd", "", "a/b", "nul\x00", "ü" * 300, "con"])
def test_any_token_will_do(store: BlobStore, token: str) -> None:
    with store.partial(token) as writer:
        writer.write(token.encode())
    with store.partial(token) as writer:
        assert writer.size == len(token.encode())
    store.forget(token)


@pytest.mark.parametrize(
    "address",
    ["", "abc", "../" * 21 + "x", "A" * 64, "0" * 63, "0" * 65, "0" * 64 + "\n", "g" * 64, "0" * 62 + "/."],
)
def test_nothing_but_a_hash_is_an_address(store: BlobStore, address: str) -> None:
    for attempt in (store.exists, store.size, store.verify, store.delete):
        with pytest.raises(ValueError):
            attempt(address)
    with pytest.raises(ValueError), store.open(address):
        pass
    with pytest.raises(ValueError):
        store.stream(address)


def test_what_is_not_there_is_missing(store: BlobStore) -> None:
    absent = secrets.token_hex(32)
    assert not store.exists(absent)
    for attempt in (store.size, store.verify, store.stream):
        with pytest.raises(BlobMissingError) as missing:
            attempt(absent)
        assert missing.value.retry == "no"
    with pytest.raises(BlobMissingError), store.open(absent):
        pass
    assert store.delete(absent)


@pytest.mark.parametrize("change", [b"other bytes!", b"short", b"longer than before", b""])
def test_damage_is_seen_before_the_last_byte_is_given_out(
    store: BlobStore, folder: Path, request: pytest.FixtureRequest, change: bytes
) -> None:
    data = secrets.token_bytes(6) + b"bytes!"
    address = put(store, data)
    stores.damage(store, folder / request.node.callspec.params["store"], address, change)
    with pytest.raises(BlobDamagedError):
        store.verify(address)
    given = b""
    with pytest.raises(BlobDamagedError), store.open(address, verify=True) as reader:
        while piece := reader.read(4):
            given += piece
    assert len(given) < max(len(change), 1)


def test_a_truncated_blob_is_replaced_when_its_content_arrives_again(
    store: BlobStore, folder: Path, request: pytest.FixtureRequest
) -> None:
    data = secrets.token_bytes(100)
    address = put(store, data)
    stores.damage(store, folder / request.node.callspec.params["store"], address, data[:50])
    assert put(store, data) == address
    store.verify(address)


def test_deleting_spares_what_has_just_arrived_again(store: BlobStore) -> None:
    address = put(store, secrets.token_bytes(10))
    assert not store.delete(address, unused_for=timedelta(hours=1))
    assert store.exists(address)
    assert store.delete(address)
    assert not store.exists(address)


def test_the_walk_tells_size_and_date(store: BlobStore) -> None:
    address = put(store, secrets.token_bytes(123))
    (found,) = [blob for blob in store.blobs() if blob.sha256 == address]
    assert found.size == 123
    assert abs(datetime.now(UTC) - found.published_at) < timedelta(minutes=2)


def test_a_file_too_large_for_the_disk_is_refused_before_its_first_byte(store: BlobStore) -> None:
    with pytest.raises(StorageFullError) as full, store.writer(expected_size=1 << 60):
        pass
    assert full.value.code == "storage.full"
    assert store.sweep(timedelta(0)) == 0
