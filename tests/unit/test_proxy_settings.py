"""The settings of the outbound proxy: what is taken, what is refused, and that a password is never repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import Settings, SettingsError

PASSWORD = "hunter2 with spaces: and colons"


def read(tmp_path: Path, proxy: str = "", no_proxy: str = "", password: str | None = None) -> Settings:
    values = {
        "COUNTERPART_DATA_DIR": str(tmp_path),
        "COUNTERPART_OUTBOUND_PROXY": proxy,
        "COUNTERPART_NO_PROXY": no_proxy,
    }
    if password is not None:
        file = tmp_path / "proxy.password"
        file.write_text(password)
        values["COUNTERPART_OUTBOUND_PROXY_PASSWORD_FILE"] = str(file)
    return Settings.from_env(values)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", ""),
        ("http://proxy.firm.test:3128", "http://proxy.firm.test:3128"),
        ("http://PROXY:8080/", "http://proxy:8080"),
        ("http://[::1]:3128", "http://[::1]:3128"),
        ("http://10.1.2.3:3128", "http://10.1.2.3:3128"),
    ],
)
def test_a_proxy_is_named_by_its_url(tmp_path: Path, given: str, kept: str) -> None:
    found = read(tmp_path, given)
    assert (found.outbound_proxy, found.outbound_proxy_login) == (kept, ("", ""))


def test_the_password_is_the_first_line_of_its_file(tmp_path: Path) -> None:
    found = read(tmp_path, "http://firm%5Csvc@proxy:3128", password=f"{PASSWORD}\r\nand a remark\n")
    assert found.outbound_proxy_login == ("firm\\svc", PASSWORD)
    assert found.outbound_proxy == "http://proxy:3128"
    assert "hunter2" not in repr(found) and "svc" not in repr(found)


@pytest.mark.parametrize(
    "url",
    [
        "proxy.firm.test:3128",
        "http://proxy.firm.test",
        "https://proxy.firm.test:3128",
        "socks5://proxy.firm.test:1080",
        "http://proxy.firm.test:0",
        "http://proxy.firm.test:port",
        "http://proxy.firm.test:3128/path",
        "http://proxy.firm.test:3128?x=1",
        "http://proxy firm:3128",
        "http://us%3Aer@proxy:3128",
        "http://user:hunter2@proxy.firm.test:3128",
        "http://:hunter2@proxy.firm.test:3128",
    ],
)
def test_anything_else_is_refused_without_its_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match="COUNTERPART_OUTBOUND_PROXY ") as refusal:
        read(tmp_path, url)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "password"), [("http://user@proxy:3128", None), ("http://proxy:3128", PASSWORD), ("", PASSWORD)]
)
def test_a_user_and_a_password_go_together(tmp_path: Path, url: str, password: str | None) -> None:
    with pytest.raises(SettingsError, match="OUTBOUND_PROXY_PASSWORD_FILE must be set if") as refusal:
        read(tmp_path, url, password=password)
    assert "hunter2" not in str(refusal.value)


def test_a_password_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="without a password in its first line"):
        read(tmp_path, "http://user@proxy:3128", password="\nhunter2")
    (tmp_path / "proxy.password").write_bytes(b"\xff\xfe\n")
    values = {
        "COUNTERPART_DATA_DIR": str(tmp_path),
        "COUNTERPART_OUTBOUND_PROXY": "http://user@proxy:3128",
        "COUNTERPART_OUTBOUND_PROXY_PASSWORD_FILE": str(tmp_path / "proxy.password"),
    }
    with pytest.raises(SettingsError, match="it is not text"):
        Settings.from_env(values)
    values["COUNTERPART_OUTBOUND_PROXY_PASSWORD_FILE"] = str(tmp_path / "missing")
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        Settings.from_env(values)


@pytest.mark.parametrize(
    ("host", "is_direct"),
    [
        ("imanage.firm.test", True),
        ("IManage.Firm.Test.", True),
        ("firm.test", True),
        ("notfirm.test", False),
        ("other.test", True),
        ("a.other.test", True),
        ("wild.test", True),
        ("10.1.2.3", True),
        ("11.1.2.3", False),
        ("192.0.2.7", True),
        ("192.0.2.8", False),
        ("fd00::1", True),
        ("cloudimanage.com", False),
    ],
)
def test_what_goes_past_the_proxy(tmp_path: Path, host: str, is_direct: bool) -> None:
    listed = ".firm.test, other.test, *.wild.test, 10.0.0.0/8, 192.0.2.7, fd00::/8"
    assert read(tmp_path, "http://proxy:3128", listed).bypasses_proxy(host) is is_direct


@pytest.mark.parametrize(
    "entry", ["http://firm.test", "firm.test:443", "10.0.0.0/40", "*", "a b", "256.1.1.1"]
)
def test_a_wrong_entry_is_named(tmp_path: Path, entry: str) -> None:
    with pytest.raises(SettingsError, match="COUNTERPART_NO_PROXY must be") as refusal:
        read(tmp_path, "http://proxy:3128", f"firm.test, {entry}")
    assert repr(entry) in str(refusal.value)
