"""What fails while a failure is told: nothing. Transactions that were broken off, files harmed, pages undrawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from app import create_app
from config import Settings
from models import db
from services.core import audit, background_tasks, runtime
from services.core.errors import ForbiddenError
from services.core.unit_of_work import session, unit_of_work
from tests.support.pages import Browser, read
from tests.support.people import make_member

Break = Callable[[], object]


def statement_that_fails() -> object:
    return session().execute(text("SELECT 1 FROM not_there WHERE 1/0"))


def number_that_does_not_fit() -> object:
    return session().execute(
        text("SELECT abs(-9223372036854775808), CAST('x' AS INTEGER) + abs(-9223372036854775808)")
    )


def half_way_through_a_unit() -> None:
    with unit_of_work() as writing:
        writing.execute(text("SELECT FROM WHERE"))


def caught_and_gone_on() -> None:
    """Code that catches a database error and continues meets the transaction that it broke off."""
    with suppress(SQLAlchemyError):
        session().execute(text("SELECT FROM WHERE"))
    raise RuntimeError("what came of it")


@pytest.fixture
def broken(app: Flask, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> Callable[[Break], Browser]:
    """A browser of a System Admin whose pages of iManage servers do this first."""

    def arrange(first: Break) -> Browser:
        usual = app.view_functions["integrations.index"]

        def view(**_arguments: object) -> object:
            return first() and usual()

        view.__dict__.update(usual.__dict__)
        monkeypatch.setitem(app.view_functions, "integrations.index", view)
        return browser.sign_in(make_member(is_admin=True))

    return arrange


@pytest.mark.parametrize("first", [number_that_does_not_fit, half_way_through_a_unit, caught_and_gone_on])
@pytest.mark.parametrize("htmx", [False, True], ids=["page", "fragment"])
def test_a_transaction_that_was_broken_off(
    broken: Callable[[Break], Browser], first: Break, htmx: bool
) -> None:
    person = broken(first)
    answer = person.get("/admin/integrations/imanage", htmx=htmx)
    assert answer.status_code == 500
    page = read(answer, whole=not htmx)
    assert "Counterpart met an unexpected error" in page.text and "Reference" in page.text
    assert person.get("/").status_code == 200


def test_tables_that_are_not_there(broken: Callable[[Break], Browser]) -> None:
    answer = broken(statement_that_fails).get("/admin/integrations/imanage")
    assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0
    assert "does not fit this version" in read(answer, whole=True).text


def test_an_error_page_asks_the_database_nothing(app: Flask, broken: Callable[[Break], Browser]) -> None:
    def fail() -> object:
        asked.clear()
        raise RuntimeError("after this")

    asked: list[str] = []
    person = broken(fail)
    event.listen(db.engine, "before_cursor_execute", lambda *all_: asked.append(all_[2]))
    for path, status in (("/admin/integrations/imanage", 500), ("/admin/no-such-page", 404)):
        answer = person.get(path)
        assert answer.status_code == status
        assert "stylesheet" in answer.text, "This is the page for when none can be drawn."
    assert not asked


def test_a_refusal_is_shown_where_it_cannot_be_recorded(
    broken: Callable[[Break], Browser], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> object:
        raise ForbiddenError("Only a lead may do this.", next_step="Ask a lead.")

    def full(*_arguments: object) -> None:
        session().execute(text("INSERT INTO not_there VALUES (1)"))

    monkeypatch.setattr(audit, "record_refusal", full)
    person = broken(refuse)
    answer = person.get("/admin/integrations/imanage")
    assert answer.status_code == 403
    assert "Only a lead may do this." in read(answer, whole=True).text
    assert "request.refusal_not_recorded" in capsys.readouterr().err
    assert person.get("/").status_code == 200


def test_an_error_page_that_cannot_be_drawn_is_said_in_plain_words(
    app: Flask, broken: Callable[[Break], Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_files(*_arguments: object) -> None:
        raise OSError("Too many open files")

    person = broken(caught_and_gone_on)
    monkeypatch.setattr(app.jinja_env, "get_template", no_files)
    answer = person.get("/admin/integrations/imanage")
    assert answer.status_code == 500
    page = read(answer, whole=True)
    assert "Something went wrong on our side" in page.text and "Reference" in page.text


def test_an_answer_that_is_ready_is_not_lost_by_the_end_of_its_session(
    app: Flask, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database goes after the last statement, and the rollback at the request's end finds nobody."""
    make_member()

    def gone(_connection: object) -> None:
        raise db.engine.dialect.loaded_dbapi.OperationalError("the connection is lost")

    usual = app.view_functions["auth.sign_in"]

    def view(**arguments: object) -> object:
        answer = usual(**arguments)
        session().execute(text("SELECT 1"))
        monkeypatch.setattr(db.engine.dialect, "do_rollback", gone)
        return answer

    view.__dict__.update(usual.__dict__)
    monkeypatch.setitem(app.view_functions, "auth.sign_in", view)
    answer = browser.get("/sign-in")
    db.session.remove()  # the test's own context keeps the session that a request's would end
    monkeypatch.undo()
    assert answer.status_code == 200
    assert browser.get("/sign-in").status_code == 200


@pytest.fixture
def on_a_file(app: Flask, settings: Settings, tmp_path: Path) -> Iterator[tuple[Flask, Path]]:
    """An application on a SQLite file of its own, with its tables."""
    usual, file = runtime.runtime(), tmp_path / "folder" / "rows.sqlite"
    file.parent.mkdir()
    own = create_app(replace(settings, data_dir=tmp_path, database_url=f"sqlite:///{file}"))
    with own.app_context():
        db.create_all()
        db.session.remove()
        db.engine.dispose()
    yield own, file
    with own.app_context():
        db.engine.dispose()
    runtime.bind(usual)
    background_tasks.bind(app.app_context)


def overwritten(file: Path) -> None:
    file.write_bytes(b"no database " * 1000)


def removed(file: Path) -> None:
    file.unlink()


def folder_removed(file: Path) -> None:
    for each in file.parent.iterdir():
        each.unlink()
    file.parent.rmdir()


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (overwritten, "Counterpart cannot read its database"),
        (removed, "does not fit this version"),
        (folder_removed, "Counterpart cannot read its database"),
    ],
)
def test_a_file_that_was_harmed(
    on_a_file: tuple[Flask, Path], harm: Callable[[Path], None], says: str
) -> None:
    own, file = on_a_file
    client = own.test_client()
    for each in file.parent.glob(f"{file.name}-*"):
        each.unlink()
    harm(file)
    for path in ("/sign-in", "/setup"):
        answer = client.get(path)
        if answer.status_code == 404:
            continue
        assert answer.status_code == 503, path
        assert says in read(answer, whole=True).text
    assert client.get("/health/live").status_code == 200
    fragment = client.get("/sign-in", headers={"HX-Request": "true"})
    assert fragment.status_code == 503 and fragment.headers["HX-Retarget"] == "#toasts"


def test_a_connection_that_cannot_be_made_is_no_later_failure(on_a_file: tuple[Flask, Path]) -> None:
    own, file = on_a_file
    folder_removed(file)
    with own.app_context(), pytest.raises(OperationalError):
        session().execute(text("SELECT 1"))
