"""Keys: an older one is replaced without losing a sign-in, and a process whose keys do not match does not start."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

import key_file
from config import Settings
from models import AuditEvent, Connection, Installation, Server, utcnow
from services.connections import tokens
from services.core import encryption, outages, runtime
from services.core.unit_of_work import session, unit_of_work
from services.operations import installation_health, keys
from tests.support.people import make_member
from tests.support.schema_revision import marked
from tests.support.servers import make_server
from tests.support.settings import change_settings

OLD, NEW, STRANGE = "old-key-" + "o" * 40, "new-key-" + "n" * 40, "strange-" + "s" * 40


@pytest.fixture(autouse=True)
def own_keys(database: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test begins as a process that has read no key file yet."""
    usual = runtime.runtime()
    monkeypatch.setattr(encryption, "_newer", ())
    monkeypatch.setattr(encryption, "_sealing", None)
    yield
    runtime.bind(usual)


def process_with(*have: str) -> None:
    """As a process that is started with these keys in its environment."""
    encryption._newer, encryption._sealing = (), None
    change_settings(secret_keys=have)


def sign_ins(count: int = 1) -> list[uuid.UUID]:
    server_id = make_server(client_secret="").id
    with unit_of_work() as writing:
        writing.get_one(Server, server_id).client_secret = encryption.seal(
            "shh", "server", server_id, "client_secret"
        )
    made = []
    for number in range(count):
        row_id = uuid.uuid4()
        member = make_member(f"Member {number}", email=f"m{number}@firm.test")
        with unit_of_work() as writing:
            writing.add(
                Connection(
                    id=row_id,
                    server_id=server_id,
                    member_id=member.id,
                    access_token=encryption.seal(f"access {number}", "connection", row_id, "access_token"),
                    refresh_token=encryption.seal(f"refresh {number}", "connection", row_id, "refresh_token"),
                    imanage_user=f"m{number}",
                    base_url="https://dms.test",
                )
            )
        made.append(row_id)
    return made


def access(row_id: uuid.UUID) -> str:
    return encryption.unseal(
        session().get_one(Connection, row_id).access_token, "connection", row_id, "access_token"
    )


def test_the_first_process_leaves_its_mark_and_others_must_have_that_key() -> None:
    process_with(OLD)
    assert keys.refusal() is None
    assert session().get_one(Installation, 1).sealing_key == encryption.fingerprint(OLD)
    process_with(STRANGE)
    said = keys.refusal()
    assert said and "do not match" in said and encryption.key_id(encryption.fingerprint(OLD)) in said
    assert OLD not in said and STRANGE not in said
    process_with(NEW, OLD)
    assert keys.refusal() is None


def test_what_another_key_sealed_before_there_was_a_mark_is_not_taken_for_ours() -> None:
    process_with(OLD)
    sign_ins()
    process_with(STRANGE)
    assert keys.refusal()
    assert session().get(Installation, 1) is None
    process_with(OLD)
    assert keys.refusal() is None


def test_a_key_that_still_seals_something_must_not_be_missing() -> None:
    process_with(OLD)
    assert keys.refusal() is None
    sign_ins()
    with unit_of_work() as writing:
        writing.execute(update(Installation).values(sealing_key=encryption.fingerprint(NEW)))
    process_with(NEW)
    said = keys.refusal()
    assert said and "an older key for 3 values" in said


def test_a_new_key_is_not_sealed_with_before_the_rotation() -> None:
    """Web has it already and a worker has not: what web seals meanwhile, the worker opens."""
    process_with(OLD)
    assert keys.refusal() is None
    process_with(NEW, OLD)
    assert keys.refusal() is None
    (row_id,) = sign_ins()
    process_with(OLD)
    assert access(row_id) == "access 0"


def test_a_rotation_seals_all_anew_and_says_when_the_old_key_may_go() -> None:
    process_with(OLD)
    keys.refusal()
    made = sign_ins(3)
    process_with(NEW, OLD)
    done = keys.rotate()
    assert (done.reencrypted, done.left, done.lost) == (7, 0, 0)
    assert done.older_keys == (encryption.key_id(encryption.fingerprint(OLD)),)
    assert done.may_go_at and done.may_go_at > utcnow() + timedelta(days=6)
    process_with(NEW)
    assert keys.refusal() is None
    assert [access(row_id) for row_id in made] == ["access 0", "access 1", "access 2"]
    assert session().scalar(select(func.count()).where(AuditEvent.action == "keys.rotated")) == 1
    assert not keys.rotate().older_keys and keys.rotate().new_key


def test_an_interrupted_rotation_continues(monkeypatch: pytest.MonkeyPatch) -> None:
    process_with(OLD)
    keys.refusal()
    made = sign_ins(5)
    process_with(NEW, OLD)
    monkeypatch.setattr(keys, "BATCH", 2)
    usual, calls = encryption.seal, []

    def falls_over(text: str, *place: Any) -> str:
        calls.append(text)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return usual(text, *place)

    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr(encryption, "seal", falls_over)
        keys.rotate()
    session().rollback()
    sealed_already = sum(count.sealed - count.older for count in keys.check())
    assert 0 < sealed_already < 11
    done = keys.rotate()
    assert done.reencrypted == 11 - sealed_already and done.left == 0
    process_with(NEW)
    assert [access(row_id) for row_id in made] == [f"access {n}" for n in range(5)]


def test_a_token_renewed_during_the_rotation_is_not_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    process_with(OLD)
    keys.refusal()
    (row_id,) = sign_ins()
    process_with(NEW, OLD)
    usual = encryption.seal

    def meanwhile(text: str, table: str, row: uuid.UUID, column: str) -> str:
        if text == "access 0":
            renewed = usual("renewed", table, row, column)
            session().execute(update(Connection).where(Connection.id == row).values(access_token=renewed))
        return usual(text, table, row, column)

    with monkeypatch.context() as other:
        other.setattr(encryption, "seal", meanwhile)
        keys.rotate()
    assert access(row_id) == "renewed"


def test_a_running_process_reads_the_new_key_from_the_file(settings: Settings) -> None:
    """The worker was started before the rotation: it finds the new key when it first meets it."""
    path = settings.data_dir / key_file.NAME
    before = path.read_text()
    try:
        (first,) = runtime.runtime().settings.secret_keys
        keys.refusal()
        (row_id,) = sign_ins()
        done = keys.rotate()
        assert done.made_key and done.reencrypted == 3
        assert len(key_file.read(path)) == 2 and path.stat().st_mode & 0o777 == 0o600
        process_with(first)
        assert access(row_id) == "access 0"
        assert encryption.keys()[0] != first, "and seals with it from then on"
        process_with(first)
        assert keys.refusal() is None
    finally:
        path.write_text(before)


def test_no_second_key_is_made_while_the_old_one_is_there(settings: Settings) -> None:
    path = settings.data_dir / key_file.NAME
    before = path.read_text()
    try:
        assert keys.rotate().made_key
        again = keys.rotate()
        assert not again.made_key and again.older_keys
        assert len(key_file.read(path)) == 2
    finally:
        path.write_text(before)


def test_a_process_that_was_overtaken_takes_no_sign_in_for_lost() -> None:
    process_with(OLD)
    keys.refusal()
    (row_id,) = sign_ins()
    member_id, server_id = session().execute(select(Connection.member_id, Connection.server_id)).one()
    process_with(NEW, OLD)
    keys.rotate()
    process_with(OLD)
    with pytest.raises(encryption.StaleKeysError) as raised:
        access(row_id)
    with unit_of_work() as writing:
        writing.get_one(Server, server_id).is_enabled = True
    with pytest.raises(encryption.StaleKeysError):
        tokens.access_of(member_id, server_id)
    outage = outages.of(raised.value)
    assert outage is outages.STALE_KEYS


def test_keys_that_are_lost_for_good() -> None:
    process_with(OLD)
    keys.refusal()
    (row_id,) = sign_ins()
    process_with(STRANGE)
    assert keys.refusal()
    assert keys.discard_undecryptable().lost == 3
    assert keys.refusal() is None
    with pytest.raises(encryption.DecryptionError):
        access(row_id)
    assert all(count.lost == 0 for count in keys.check())


def test_the_commands(app: Flask) -> None:
    with marked():
        _run_them(app)


def _run_them(app: Flask) -> None:
    process_with(OLD)
    keys.refusal()
    sign_ins()
    run = app.test_cli_runner().invoke
    done = run(args=["keys", "check"])
    assert (
        done.exit_code == 0
        and "connection.access_token: 1 encrypted, 0 with an older key, 0 cannot be decrypted" in done.output
    )
    done = run(args=["keys", "rotate"])
    assert done.exit_code == 0 and "Put this one first" in done.output
    process_with(NEW, OLD)
    done = run(args=["keys", "rotate"])
    assert done.exit_code == 0, done.output
    assert "Encrypted 3 values" in done.output and "you can remove the older key" in done.output
    assert NEW not in done.output and OLD not in done.output
    process_with(STRANGE)
    done = run(args=["keys", "check"])
    assert done.exit_code == 1 and "1 cannot be decrypted" in done.output
    done = run(
        args=["member", "add", "x@firm.test", "--name", "X", "--password-stdin"],
        input="harbour lantern 94 drifting",
    )
    assert done.exit_code == 1 and "Nobody was added" in done.output
    done = run(args=["keys", "rotate", "--old-keys-are-lost"])
    assert done.exit_code == 0 and "3 values could not be decrypted and were erased" in done.output


def test_the_doctor_tells_whether_the_keys_fit() -> None:
    process_with(OLD)
    assert installation_health.keys_fit().state == installation_health.OK
    (row_id,) = sign_ins()
    process_with(NEW, OLD)
    keys.rotate()
    assert installation_health.keys_fit().state == installation_health.OK
    process_with(OLD)
    assert installation_health.keys_fit().state == installation_health.FAIL
    process_with(NEW, OLD)
    with unit_of_work() as writing:
        row = writing.get_one(Connection, row_id)
        head, _, body = row.access_token.rpartition(".")
        raw = bytearray(base64.urlsafe_b64decode(body))
        raw[-1] ^= 1
        row.access_token = f"{head}.{base64.urlsafe_b64encode(raw).decode()}"
    found = installation_health.keys_fit()
    assert (
        found.state == installation_health.FAIL and "1 stored secrets cannot be decrypted" in found.sentence
    )


def test_nothing_is_sealed_that_a_rotation_would_not_find() -> None:
    with pytest.raises(ValueError, match="SEALED_COLUMNS"):
        encryption.seal("x", "member", uuid.uuid4(), "note")
