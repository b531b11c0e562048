"""The settings of the mail server: what is taken, what is refused, and that a password is never repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import Settings, SettingsError


def read(tmp_path: Path, url: str, sender: str = "counterpart@firm.test") -> Settings:
    return Settings.from_env(
        {
            "COUNTERPART_DATA_DIR": str(tmp_path),
            "COUNTERPART_SMTP_URL": url,
            "COUNTERPART_MAIL_FROM": sender,
        }
    )


@pytest.mark.parametrize(
    "url", ["", "smtp://mail.firm.test", "smtps://user:p%40ss@mail.firm.test:465", "smtp://[::1]:2525/"]
)
def test_a_mail_server_is_named_by_its_url(tmp_path: Path, url: str) -> None:
    assert read(tmp_path, url).smtp_url == url


@pytest.mark.parametrize(
    "url",
    [
        "mail.firm.test",
        "http://mail.firm.test",
        "smtp://",
        "smtp://user:hunter2@mail.firm.test:0",
        "smtp://user:hunter2@mail.firm.test:port",
        "smtp://user:hunter2@mail.firm.test/path",
        "smtp://user:hunter2@mail.firm.test?x=1",
    ],
)
def test_anything_else_is_refused_without_its_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match="COUNTERPART_SMTP_URL") as refusal:
        read(tmp_path, url)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    "sender", ["", "nobody", "two@a.test, three@b.test", "Firm <a@b.test>", "a@b\nBcc: c@d"]
)
def test_mails_come_from_one_address(tmp_path: Path, sender: str) -> None:
    with pytest.raises(SettingsError, match="COUNTERPART_MAIL_FROM"):
        read(tmp_path, "smtp://mail.firm.test", sender)


def test_a_printed_setting_holds_no_password(tmp_path: Path) -> None:
    assert "hunter2" not in repr(read(tmp_path, "smtp://user:hunter2@mail.firm.test"))
