"""The stores that the storage contracts run on: a folder, an object store in memory, and a real S3 server."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import obstore
import requests
from obstore.store import MemoryStore, S3Store

from storage import BlobStore, StorageError, open_store
from storage.objects import ObjectBlobStore

KEY, SECRET = "practice", "practice-secret"


KINDS = ("local", "memory", "s3")
WEED = str(Path(sys.executable).with_name("weed"))


@contextmanager
def running(kind: str, folder: Path) -> Iterator[BlobStore]:
    match kind:
        case "local":
            yield open_store(f"file://{folder / 'blobs'}")
        case "memory":
            yield ObjectBlobStore(MemoryStore(), folder / "spool")
        case "s3":
            with seaweed(folder / "weed") as port:
                yield bucket(port, folder / "spool")


def damage(store: BlobStore, folder: Path, sha256: str, data: bytes) -> None:
    """Change what lies under an address, as a failing disk or a careless person would."""
    key = f"sha256/{sha256[:2]}/{sha256[2:]}"
    if isinstance(store, ObjectBlobStore):
        obstore.put(store._store, key, data)
    else:
        (folder / "blobs" / key).write_bytes(data)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@contextmanager
def seaweed(folder: Path) -> Iterator[int]:
    """An S3 server of the tests' own, and its port."""
    folder.mkdir()
    # Each server also listens ten thousand above its HTTP port unless its gRPC port is given.
    master, master_grpc, volume, volume_grpc, filer, filer_grpc, s3, s3_grpc, lance = _free_ports(9)
    config = folder / "s3.json"
    config.write_text(
        f'{{"identities":[{{"name":"p","credentials":[{{"accessKey":"{KEY}","secretKey":"{SECRET}"}}],'
        '"actions":["Admin","Read","Write","List","Tagging"]}]}'
    )
    command = [
        WEED, "server", "-s3", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
        f"-master.port={master}", f"-master.port.grpc={master_grpc}", f"-volume.port={volume}",
        f"-volume.port.grpc={volume_grpc}", f"-filer.port={filer}", f"-filer.port.grpc={filer_grpc}",
        f"-s3.port={s3}", f"-s3.port.grpc={s3_grpc}", "-s3.port.iceberg=0", f"-s3.port.lance={lance}",
        f"-s3.config={config}", "-volume.max=20", "-master.volumeSizeLimitMB=64",
    ]  # fmt: skip
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield s3
    finally:
        server.kill()  # it takes half a minute to leave politely, and its data is thrown away
        server.wait(timeout=30)


def bucket(port: int, spool: Path, *, prefix: str = "firm", secret: str = SECRET) -> BlobStore:
    """A store in the one bucket of the S3 server behind the port, which is waited for and made."""
    options = options_of(port, secret)
    store = open_store(f"s3://blobs/{prefix}", options=options, spool=spool)
    if secret == SECRET:
        _wait_for(store, options)
    return store


def options_of(port: int, secret: str = SECRET) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_REGION": "us-east-1",
    }


def _wait_for(store: BlobStore, options: dict[str, str]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            _make_bucket(options)
            store.exists("0" * 64)
            return
        except (requests.ConnectionError, StorageError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)


def _make_bucket(options: dict[str, str]) -> None:
    """obstore makes no buckets, but it signs the request that does."""
    bucket = S3Store("blobs", config=options, client_options={"allow_http": True})
    requests.put(obstore.sign(bucket, "PUT", "", timedelta(minutes=1)), timeout=10)
