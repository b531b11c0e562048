"""The manifest as other programs read it: strings whatever they look like, in order, alone in their zip."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import UTC, datetime

import pytest
import yaml

from services.servers.packages.manifest import MEMBER_NAME, Manifest, as_yaml, as_zip, new_key

MADE = datetime(2026, 11, 23, 17, 45, 10, tzinfo=UTC)
KEYS = ["id", "name", "api_key", "api_secret", "publisher", "organization", "version", "redirect_url"]
REDIRECT = "https://counterpart.firm.test/auth/v0/oauth2/authorized"


def manifest(**more: str) -> Manifest:
    values = {
        "id": "counterpart-firm",
        "name": "Counterpart",
        "api_key": "0" * 32,
        "api_secret": "f" * 32,
        "publisher": "Counterpart",
        "organization": "Harbour Vale LLP",
        "redirect_url": REDIRECT,
    }
    return Manifest(**(values | more))


def test_the_file_is_exactly_this() -> None:
    assert as_yaml(manifest(organization="O'Neill & Söhne: 100 %")) == (
        "id: 'counterpart-firm'\n"
        "name: 'Counterpart'\n"
        f"api_key: '{'0' * 32}'\n"
        f"api_secret: '{'f' * 32}'\n"
        "publisher: 'Counterpart'\n"
        "organization: 'O''Neill & Söhne: 100 %'\n"
        "version: '2'\n"
        f"redirect_url: '{REDIRECT}'\n"
    )


@pytest.mark.parametrize(
    "key",
    [
        "1" * 32,
        "0" * 32,
        "00000e12" + "0" * 24,
        "12345678901234567890e12345678901",
        "0" * 31 + "7",
        "1_000",
        "0x1f",
        "0b11",
        "0o17",
        "12:30:45",
        "1e5",
        ".inf",
        "2026-11-23",
        "yes",
        "no",
        "on",
        "null",
        "~",
        "true",
        "=",
        "<<",
        "- a",
        "? a",
        "# a",
        "a: b",
        "a #b",
        "{a: b}",
        "[a]",
        "&a",
        "*a",
        "!a",
        "%a",
        "@a",
        "`a",
        "|",
        ">",
        "---",
        "...",
        "'",
        "''",
        '"a"',
        "\\n",
        "日本",
        "🙂",
    ],
)
def test_every_value_is_read_back_as_the_text_that_it_is(key: str) -> None:
    """By the reader of YAML 1.1, which takes the most things for something else; and each stands in plain quotes."""
    written = as_yaml(manifest(api_key=key, name=key))
    read = yaml.safe_load(written)
    assert list(read) == KEYS
    assert all(type(value) is str for value in read.values())
    assert (read["api_key"], read["name"], read["version"]) == (key, key, "2")
    for line in written.splitlines():
        assert re.fullmatch(r"[a-z_]+: '(?:[^']|'')*'", line)


@pytest.mark.parametrize("value", ["a\nb", "a\u2028b", "a\x85b", "a\x00b", "a\ufeffb"])
def test_what_would_break_a_line_is_never_written(value: str) -> None:
    with pytest.raises(ValueError, match="unprintable character"):
        as_yaml(manifest(name=value))


def test_the_zip_holds_one_file_and_nothing_else() -> None:
    with zipfile.ZipFile(io.BytesIO(as_zip(manifest(), MADE))) as archive:
        assert archive.namelist() == [MEMBER_NAME]
        assert archive.testzip() is None
        assert archive.read(MEMBER_NAME).decode() == as_yaml(manifest())
        assert archive.infolist()[0].date_time == (2026, 11, 23, 17, 45, 10)


def test_a_key_is_thirty_two_hexadecimal_digits_and_never_the_same() -> None:
    made = {new_key() for _ in range(500)}
    assert len(made) == 500
    assert all(re.fullmatch(r"[0-9a-f]{32}", key) for key in made)


def test_the_secret_shows_in_no_repr() -> None:
    assert "f" * 32 not in repr(manifest())
