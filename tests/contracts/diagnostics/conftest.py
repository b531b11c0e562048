"""What all of these tests share: short patience, the ports of the day, and an authority that is trusted here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from imanage import guard
from services.core import runtime
from services.servers import transport
from tests.support.authority import Authority
from tests.support.server_checks import QUICK


@pytest.fixture(autouse=True)
def short_patience(database: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server that says nothing is waited for by the blink of an eye, and ports are allowed as tests need them."""
    monkeypatch.setattr(transport, "PAGE_LIMITS", QUICK)
    usual = runtime.runtime()
    yield
    runtime.bind(usual)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    """One that this machine trusts, as an administrator of the machine would make it."""
    made = Authority()
    trusted = tmp_path / "trusted.pem"
    trusted.write_text(made.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    guard._trust.cache_clear()
    yield made
    guard._trust.cache_clear()
