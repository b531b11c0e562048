"""The public URL however it is written: what browsers call it by, or a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import Settings, SettingsError


def settings(folder: Path, **given: str) -> Settings:
    return Settings.from_env(
        {"COUNTERPART_DATA_DIR": str(folder), **{f"COUNTERPART_{name}": each for name, each in given.items()}}
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://CP.Firm.Example", "https://cp.firm.example"),
        ("HTTPS://cp.firm.example/", "https://cp.firm.example"),
        ("https://cp.firm.example:443", "https://cp.firm.example"),
        ("http://cp.firm.example:80/", "http://cp.firm.example"),
        ("https://cp.firm.example:8443", "https://cp.firm.example:8443"),
        ("http://cp.firm.example:443", "http://cp.firm.example:443"),
        ("https://kanzlei-müller.example", "https://xn--kanzlei-mller-4ob.example"),
        ("https://KANZLEI-MÜLLER.example:443", "https://xn--kanzlei-mller-4ob.example"),
        ("https://bücher。example", "https://xn--bcher-kva.example"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://[0:0:0:0:0:0:0:1]:80", "http://[::1]"),
        ("http://counter_part:8000", "http://counter_part:8000"),
    ],
)
def test_it_is_read_as_browsers_write_it(tmp_path: Path, written: str, meant: str) -> None:
    found = settings(tmp_path, PUBLIC_URL=written, API_URL=written, PRACTICE_URL=written)
    assert (found.public_url, found.api_url, found.practice_url) == (meant, meant, meant)
    assert found.is_https == meant.startswith("https")
    assert found.redirect_url == f"{meant}/auth/v0/oauth2/authorized"


@pytest.mark.parametrize(
    "written",
    [
        "cp.firm.example",
        "ftp://cp.firm.example",
        "https://",
        "https://cp.firm.example/counterpart",
        "https://cp.firm.example?x",
        "https://ada@cp.firm.example",
        "https://cp.firm.example:0",
        "https://cp.firm.example:port",
        "https://cp firm.example",
        "https://[::1",
        "https://[fe80::1%25eth0]",
        "https://a..bücher.example",
        "https://" + "ü" * 70 + ".example",
    ],
)
def test_what_is_no_origin_is_said_in_a_sentence(tmp_path: Path, written: str) -> None:
    with pytest.raises(SettingsError, match="COUNTERPART_PUBLIC_URL must be http"):
        settings(tmp_path, PUBLIC_URL=written)
