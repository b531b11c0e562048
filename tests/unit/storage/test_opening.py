"""Storage URLs from the settings, valid and invalid."""

from pathlib import Path

import pytest

from storage import open_store
from storage.local import LocalStore
from storage.names import address_of, key_of
from storage.objects import ObjectBlobStore


def test_a_folder(tmp_path: Path) -> None:
    assert isinstance(open_store(f"file://{tmp_path}/with%20space"), LocalStore)
    assert (tmp_path / "with space" / "incoming").is_dir()


def test_a_bucket_is_opened_without_being_called(tmp_path: Path) -> None:
    store = open_store(
        "s3://bucket/prefix/", options={"AWS_REGION": "eu-west-2", "PATH": "/bin"}, spool=tmp_path / "spool"
    )
    assert isinstance(store, ObjectBlobStore)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "blobs",
        "/blobs",
        "file://host/blobs",
        "file:relative",
        "http://host/b",
        "s3:///prefix",
        "s3://b?x=1",
    ],
)
def test_anything_else_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        open_store(url, spool=tmp_path)


def test_an_object_store_needs_a_spool() -> None:
    with pytest.raises(ValueError, match="spool"):
        open_store("s3://bucket/prefix")


def test_keys_and_addresses_are_the_same_thing() -> None:
    address = "0123456789abcdef" * 4
    assert key_of(address) == f"sha256/01/{address[2:]}"
    assert address_of(key_of(address)) == address
    assert address_of(f"firm/{key_of(address)}") == address
    assert address_of("sha256/01/notes.txt") is None
