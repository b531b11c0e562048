"""One store of each kind, started once for all contract tests; every test writes different content."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import BlobStore, open_store
from tests.support import stores


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module", params=stores.KINDS)
def store(request: pytest.FixtureRequest, folder: Path) -> Iterator[BlobStore]:
    own = folder / request.param
    own.mkdir()
    with stores.running(request.param, own) as running:
        yield running


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


@pytest.fixture
def local(root: Path) -> BlobStore:
    return open_store(f"file://{root}")
