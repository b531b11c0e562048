"""Learn this server: a run by page and by command, its rows, and runs that the worker starts by itself."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from imanage.learning_calls import MOST_REQUESTS
from imanage.server_facts import ASSUMED, ServerFacts
from models import Connection, Member, Server, ServerFact, ServerLearning, utcnow
from services.core import background_tasks
from services.core.actor import Actor
from services.core.errors import ForbiddenError, InvalidError
from services.core.unit_of_work import session, unit_of_work
from services.server_admin import learning
from services.server_admin.network_sheet import LEARNING, SIGN_IN, WORK
from services.servers import server_facts
from simulator import Fault
from tests.support.audit import trail
from tests.support.pages import Browser, read
from tests.support.people import actor_of, make_member
from tests.support.sign_ins import SignIn

SERVERS = "/admin/integrations/imanage"


@pytest.fixture
def admin(signed_in: SignIn) -> Actor:
    """Alice, signed in to the practice iManage, as a System Admin."""
    with unit_of_work() as writing:
        writing.execute(update(Member).where(Member.id == signed_in.member_id).values(is_admin=True))
    return actor_of(session().get_one(Member, signed_in.member_id, populate_existing=True))


def folder_of(signed_in: SignIn) -> str:
    """A folder of a workspace that Alice owns."""
    world = signed_in.practice.world
    return next(
        each.id
        for each in world.containers("Active")
        if each.kind == "folder" and each.folder_type == "regular" and each.owner == "ALICE"
    )


def learned(actor: Actor, signed_in: SignIn, folder: str = "") -> learning.LearningView:
    run_id = learning.start(actor, signed_in.server_id, folder)
    assert background_tasks.wait(60)
    session().rollback()
    return learning.view(actor, run_id)


def facts_now(server_id: uuid.UUID) -> ServerFacts:
    session().rollback()
    return server_facts.of(session().get_one(Server, server_id))


def shape(path: str) -> str:
    """The path as the request sheet writes it."""
    path = re.sub(r"^/work/api/v2/customers/\w+", "{base}", path)
    path = re.sub(r"/libraries/\w+", "/libraries/{library}", path)
    return re.sub(r"/users/\w+", "/users/{user}", re.sub(r"/\w+!\d+(\.\d+)?", "/{id}", path))


def test_a_run_measures_and_says_what_it_sent(admin: Actor, signed_in: SignIn) -> None:
    run = learned(admin, signed_in)
    assert (run.state, run.sentence, run.left_behind) == ("done", "", ())
    assert run.found >= 30 and 0 < len(run.requests) < MOST_REQUESTS
    facts = facts_now(signed_in.server_id)
    assert {"token_header", "ranges", "checksum", "refresh_token", "refresh_rotates"} <= facts.measured
    assert facts.version == signed_in.practice.settings.dms_version
    assert ("server.learning_started", "done", "London") in trail()
    assert trail()[-1][:2] == ("server.learned", "done")
    sent = [f"{each.method} {each.path}" for each in signed_in.practice.requests]
    assert sorted(sent) == sorted(f"{method} {path}" for method, path, _status, _purpose in run.requests)


def test_a_run_in_a_scratch_folder_leaves_nothing(admin: Actor, signed_in: SignIn) -> None:
    world, folder = signed_in.practice.world, folder_of(signed_in)
    before = {document.id() for document in world.documents("Active")}
    signed_in.practice.settings.class_required_fields = False
    run = learned(admin, signed_in, f"https://imanage.firm.test/work/link/f/{folder}")
    assert (run.state, run.folder_id, run.left_behind) == ("done", folder, ())
    assert {document.id() for document in world.documents("Active")} == before
    facts = facts_now(signed_in.server_id)
    assert "comments" in facts.measured and facts.comments == "kept"
    named = {(each.methods, each.path) for each in SIGN_IN + WORK + LEARNING}
    sent = {(method, shape(path)) for method, path, _status, _purpose in run.requests}
    assert sent - named == set(), "These requests are not on the request sheet."
    assert {(each.methods, each.path) for each in LEARNING} <= sent


def test_what_differs_is_used_by_the_next_call(admin: Actor, signed_in: SignIn) -> None:
    signed_in.practice.settings.range_supported = False
    signed_in.practice.settings.refresh_rotation = True
    try:
        learned(admin, signed_in)
    finally:
        signed_in.practice.settings.range_supported = True
        signed_in.practice.settings.refresh_rotation = False
    facts = facts_now(signed_in.server_id)
    assert (facts.ranges, facts.refresh_rotates) == (False, True)
    assert signed_in.ask()


def test_a_run_that_stops_keeps_what_it_found(admin: Actor, signed_in: SignIn) -> None:
    fault = signed_in.practice.faults.add(Fault("throttle", path="/classes", reset=900, times=None))
    run = learned(admin, signed_in)
    signed_in.practice.faults.remove(fault)
    assert (run.state, run.sentence) == ("stopped", "The server asked Counterpart to wait.")
    assert "ranges" in facts_now(signed_in.server_id).measured
    assert trail()[-1][:2] == ("server.learned", "failed")


def test_only_a_signed_in_system_admin_learns(admin: Actor, signed_in: SignIn) -> None:
    other = actor_of(make_member("Ada Admin", is_admin=True))
    assert not learning.is_signed_in(other, signed_in.server_id)
    with pytest.raises(InvalidError, match="Sign in to"):
        learning.start(other, signed_in.server_id)
    member = actor_of(make_member("Max Member"))
    with pytest.raises(ForbiddenError):
        learning.start(member, signed_in.server_id)
    assert signed_in.practice.requests == []


@pytest.mark.parametrize("folder", ["Closing set", "Active!", "../x!1", "https://firm.test/", "a\nb!1"])
def test_a_folder_that_is_none(admin: Actor, signed_in: SignIn, folder: str) -> None:
    with pytest.raises(InvalidError) as refused:
        learning.start(admin, signed_in.server_id, folder)
    assert "folder" in refused.value.fields
    assert session().scalar(select(ServerLearning)) is None


def test_one_run_at_a_time(admin: Actor, signed_in: SignIn) -> None:
    with unit_of_work() as writing:
        running = ServerLearning(
            server_id=signed_in.server_id, member_id=admin.id, started_by=admin.name, id=uuid.uuid4()
        )
        writing.add(running)
    assert learning.start(admin, signed_in.server_id) == running.id
    with unit_of_work() as writing:
        row = writing.get_one(ServerLearning, running.id)
        row.seen_at = utcnow() - learning.ABANDONED_AFTER
    assert learning.view(admin, running.id).state == "did_not_finish"
    assert learning.start(admin, signed_in.server_id) != running.id
    assert background_tasks.wait(60)


def test_the_pages(admin: Actor, signed_in: SignIn, browser: Browser) -> None:
    url = f"{SERVERS}/{signed_in.server_id}"
    assert "at most 300 requests" in read(browser.get(f"{url}/learn"), whole=True).text
    assert browser.post(f"{url}/learn", {"folder": ""}).status_code == 303
    assert background_tasks.wait(60)
    page = read(browser.get(f"{url}/facts"), whole=True).text
    assert "facts measured with" in page and "without uploads" in page
    assert "GET /api" in page
    other = Browser(signed_in.app).sign_in(make_member("Ada Admin", is_admin=True))
    assert "Sign in to “London” first" in read(other.get(f"{url}/learn"), whole=True).text
    assert other.post(f"{url}/learn", {"folder": ""}).status_code == 422


def age(server_id: uuid.UUID, hours: int = 2) -> None:
    """As if so much time had gone by since the runs."""
    with unit_of_work() as writing:
        for row in writing.scalars(select(ServerLearning).where(ServerLearning.server_id == server_id)):
            row.started_at -= timedelta(hours=hours)


def runs(server_id: uuid.UUID) -> int:
    session().rollback()
    return len(session().scalars(select(ServerLearning).where(ServerLearning.server_id == server_id)).all())


def test_a_contradicted_fact_is_learned_again_once(admin: Actor, signed_in: SignIn) -> None:
    learned(admin, signed_in)
    learning.learn_again()
    assert runs(signed_in.server_id) == 1
    server_facts.doubt(signed_in.server_id, {"ranges": "The rest of a document was refused."})
    learning.learn_again()
    assert runs(signed_in.server_id) == 1, "not twice within an hour"
    age(signed_in.server_id)
    learning.learn_again()
    assert runs(signed_in.server_id) == 2
    assert not any(row.note for row in session().scalars(select(ServerFact)))
    assert "ranges" in facts_now(signed_in.server_id).measured
    learning.learn_again()
    assert runs(signed_in.server_id) == 2


def test_another_version_is_learned_again(admin: Actor, signed_in: SignIn) -> None:
    learned(admin, signed_in)
    signed_in.practice.settings.dms_version = "10.5.1"
    try:
        with unit_of_work():
            server_facts.note_version(signed_in.server_id, "10.5.1")
        age(signed_in.server_id)
        learning.learn_again()
    finally:
        signed_in.practice.settings.dms_version = "10.2.3812"
    assert facts_now(signed_in.server_id).version == "10.5.1"
    versions = {
        row.version for row in session().scalars(select(ServerFact).where(ServerFact.fact == "ranges"))
    }
    assert versions == {"10.5.1"}


def test_a_run_that_stopped_is_repeated_once_later(admin: Actor, signed_in: SignIn) -> None:
    learned(admin, signed_in)
    server_facts.doubt(signed_in.server_id, {"ranges": "The rest of a document was refused."})
    age(signed_in.server_id)
    fault = signed_in.practice.faults.add(Fault("throttle", path="/libraries", reset=900, times=None))
    learning.learn_again()
    learning.learn_again()
    assert runs(signed_in.server_id) == 2, "The next one waits longer."
    age(signed_in.server_id, 7)
    learning.learn_again()
    assert runs(signed_in.server_id) == 3
    signed_in.practice.faults.remove(fault)
    age(signed_in.server_id, 100)
    learning.learn_again()
    assert runs(signed_in.server_id) == 3, "It stopped twice, and nothing happened since."
    server_facts.doubt(signed_in.server_id, {"checksum": "Another meaning."})
    learning.learn_again()
    assert runs(signed_in.server_id) == 4
    assert not any(row.note for row in session().scalars(select(ServerFact)))


def test_old_runs_are_deleted_but_for_the_newest(admin: Actor, signed_in: SignIn) -> None:
    with unit_of_work() as writing:
        for days in (90, 60, 40):
            at = utcnow() - timedelta(days=days)
            writing.add(
                ServerLearning(
                    server_id=signed_in.server_id, started_by="A", started_at=at, finished_at=at, state="done"
                )
            )
    learning.prune()
    (left,) = session().scalars(select(ServerLearning))
    assert left.started_at < utcnow() - timedelta(days=39)
    assert left.started_at > utcnow() - timedelta(days=41)


def test_nobody_learns_again_without_the_right(admin: Actor, signed_in: SignIn) -> None:
    learned(admin, signed_in)
    server_facts.doubt(signed_in.server_id, {"ranges": "Refused."})
    age(signed_in.server_id)
    with unit_of_work() as writing:
        writing.execute(update(Member).where(Member.id == admin.id).values(is_admin=False))
    learning.learn_again()
    assert runs(signed_in.server_id) == 1
    assert facts_now(signed_in.server_id).ranges == ASSUMED.ranges


def test_an_ended_sign_in_does_not_keep_the_others_from_being_learned_again(
    admin: Actor, signed_in: SignIn
) -> None:
    learned(admin, signed_in)
    server_facts.doubt(signed_in.server_id, {"ranges": "Refused."})
    age(signed_in.server_id)
    with unit_of_work() as writing:
        writing.execute(update(Connection).values(state="sign_in_again", reason="refused"))
    learning.learn_again()
    assert runs(signed_in.server_id) == 1


def test_the_command(admin: Actor, signed_in: SignIn) -> None:
    runner = signed_in.app.test_cli_runner()
    result = runner.invoke(args=["imanage", "verify", "LONDON", "--requests"])
    assert result.exit_code == 0, result.output
    assert "Downloads can be continued: Yes (measured)" in result.output
    assert "GET /api 200: who is signed in, and where the API is" in result.output
    assert "facts with" in result.output
    gone = runner.invoke(args=["imanage", "verify", "nothing"])
    assert (gone.exit_code, gone.output) == (1, "Error: There is no server named “nothing”.\n")
    nobody = runner.invoke(args=["imanage", "verify", "London", "--admin", "x@y.test"])
    assert nobody.exit_code == 1 and "No System Admin is signed in" in nobody.output
    wrong = runner.invoke(args=["imanage", "verify", "London", "--folder", "here"])
    assert wrong.exit_code == 1 and "folder’s ID" in wrong.output
    fault = signed_in.practice.faults.add(Fault("throttle", path="/types", reset=900, times=None))
    stopped = runner.invoke(args=["imanage", "verify", str(signed_in.server_id)])
    signed_in.practice.faults.remove(fault)
    assert stopped.exit_code == 1 and "asked Counterpart to wait" in stopped.output
