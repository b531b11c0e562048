"""Admin System > Members: the list, adding, deactivating and taking back, and new passwords."""

from __future__ import annotations

import re
import uuid
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import func, select

from models import Connection, Member, Participant, ServerMember, SignInSession, Transfer, TransferItem
from services.auth import passwords
from services.core.actor import Actor
from services.core.errors import ConflictError
from services.core.unit_of_work import session, unit_of_work
from services.directory import people
from services.members import offboarding
from tests.support.audit import trail
from tests.support.concurrency import at_once
from tests.support.matters import add_server, open_matter
from tests.support.pages import Browser, read
from tests.support.passwords import PASSWORD, is_signed_in, sign_in, with_password
from tests.support.people import actor_of, make_member

LIST = "/admin/members"
MOST_BYTES = 60_000


def entry(**changes: str) -> dict[str, str]:
    return {
        "kind": "member", "name": "Anna Müller", "email": "anna@firm.test", "organisation": "", "password": PASSWORD,
    } | changes  # fmt: skip


def found(email: str) -> Member:
    session().rollback()
    return session().scalars(select(Member).where(Member.email_key == email)).one()


def test_a_member_is_added_and_can_sign_in(app: Flask, ada_browser: Browser) -> None:
    answer = ada_browser.post(f"{LIST}/new", entry(email="Anna@Firm.test"))
    anna = found("anna@firm.test")
    assert (answer.status_code, answer.location) == (303, f"{LIST}/{anna.id}")
    page = ada_browser.page(f"{LIST}/{anna.id}")
    assert "Anna Müller added." in page.text and "Anna@Firm.test" in page.text
    assert not (anna.is_admin or anna.is_guest)
    assert sign_in(Browser(app), "anna@firm.test").status_code == 303
    assert trail()[0] == ("member.added", "done", "Anna Müller")


def test_a_made_password_is_shown_once_and_kept_nowhere(app: Flask, ada_browser: Browser) -> None:
    answer = ada_browser.post(f"{LIST}/new", entry(password=""), htmx=True)
    made = re.search(r'id="made-password">([a-z0-9-]+)<', answer.get_data(as_text=True))
    assert answer.status_code == 200 and made
    with ada_browser.client.session_transaction() as cookie:
        assert made[1] not in str(dict(cookie))
    assert made[1] not in ada_browser.get(f"{LIST}/{found('anna@firm.test').id}").get_data(as_text=True)
    assert made[1] not in ada_browser.get("/admin/audit").get_data(as_text=True)
    assert sign_in(Browser(app), "anna@firm.test", made[1]).status_code == 303


def test_a_guest_has_an_organisation_and_is_no_admin(ada_browser: Browser) -> None:
    refused = ada_browser.post(f"{LIST}/new", entry(kind="guest", is_admin="y"))
    text = read(refused, whole=True).text
    assert refused.status_code == 422
    assert "Enter an organisation." in text and "A guest cannot be a System Admin." in text
    ada_browser.post(f"{LIST}/new", entry(kind="guest", organisation="Bank"))
    guest = found("anna@firm.test")
    assert guest.is_guest and guest.organisation == "Bank"


@pytest.mark.parametrize(
    "change",
    [{"email": "ADA@firm.test"}, {"email": "ａｄａ@firm.test"}, {"email": "anna"}, {"email": ""}, {"name": ""},
     {"name": "   "}, {"name": "n" * 201}, {"name": "An\u202ena"}, {"name": "An\x00na"}, {"password": "short"},
     {"password": "anna@firm.test"}, {"password": "p" * 201}, {"kind": "emperor"}, {"organisation": "o" * 201}],
)  # fmt: skip
def test_what_cannot_be_is_said_at_its_field(ada_browser: Browser, change: dict[str, str]) -> None:
    for htmx in (False, True):
        answer = ada_browser.post(f"{LIST}/new", entry(**change), htmx=htmx)
        page = read(answer, whole=not htmx)
        assert answer.status_code == 422
        assert "There is a problem" in page.text
        (name,) = change
        assert f"{name}-error" in page.ids
    session().rollback()
    assert session().scalar(select(func.count(Member.id))) == 1


@pytest.mark.parametrize(
    "name", ["<b>Bold</b>", "=1+1", "ﷺ" * 200, "'; drop table member; --", "{{ 7*7 }}", "鈴木 花子"]
)
def test_odd_names_are_kept_and_shown_as_text(ada_browser: Browser, name: str) -> None:
    assert ada_browser.post(f"{LIST}/new", entry(name=name)).status_code == 303
    member = found("anna@firm.test")
    assert member.name == name
    assert name in ada_browser.page(f"{LIST}/{member.id}").text
    assert name in ada_browser.page(f"{LIST}?q=anna@").text


def test_two_forms_at_once_make_one_member(app: Flask, ada: Member) -> None:
    actor = actor_of(ada)
    new = people.NewMember("Anna", "anna@firm.test", PASSWORD)
    answers = at_once(app, *[partial(people.add, actor, new)] * 3)
    assert sum(isinstance(answer, people.Added) for answer in answers) == 1
    assert found("anna@firm.test").name == "Anna"


def test_the_list_is_paged_searched_and_by_name(ada_browser: Browser) -> None:
    for number in range(120):
        make_member(f"Person {number:03}", email=f"p{number}@x.test")
    make_member("Zed Gone", is_active=False)
    first = ada_browser.page(LIST)
    assert "Ada Admin" in first.text and "Person 098" in first.text and "Person 099" not in first.text
    assert len(first.html.encode()) <= MOST_BYTES
    (onwards,) = [link for link in first.links if "after=" in link]
    second = ada_browser.page(onwards)
    assert "Person 099" in second.text and "Deactivated" in second.text and "Person 098" not in second.text
    (back,) = [link for link in second.links if "before=" in link]
    assert ada_browser.page(back).text == first.text
    fragment = ada_browser.page(f"{LIST}?q=PERSON+07", htmx=True)
    assert "Person 079" in fragment.text and "Person 080" not in fragment.text
    assert "No members found" in ada_browser.page(f"{LIST}?q=%25").text


def test_the_list_keeps_to_a_kind_of_member(ada_browser: Browser) -> None:
    make_member("Gail Guest", is_guest=True, organisation="Bank")
    make_member("Gone Guest", is_guest=True, organisation="Bank", is_active=False)
    expected = {
        "": {"Ada Admin", "Gail Guest", "Gone Guest"},
        "active": {"Ada Admin", "Gail Guest"},
        "guests": {"Gail Guest"},
        "admins": {"Ada Admin"},
        "deactivated": {"Gone Guest"},
        "nonsense": {"Ada Admin", "Gail Guest", "Gone Guest"},
    }
    for state, names in expected.items():
        table = ada_browser.page(f"{LIST}?state={state}", htmx=True).text
        assert {name for name in expected[""] if name in table} == names
        searched = ada_browser.page(f"{LIST}?state={state}&q=guest", htmx=True).text
        assert {name for name in expected[""] if name in searched} == names - {"Ada Admin"}


def test_of_very_many_matches_the_page_says_to_keep_typing(ada_browser: Browser) -> None:
    for number in range(502):
        make_member(f"Twin {number:03}", email=f"n{number // 102}z@{number}.test")
    page = ada_browser.page(f"{LIST}?q=twin", htmx=True)
    assert "More than 500 people match." in page.text and "Twin 099" in page.text
    assert "Twin 100" not in page.text
    assert "Showing the first 100 of 102 matches." in ada_browser.page(f"{LIST}?q=n1z", htmx=True).text


@pytest.mark.parametrize(
    "place", ["0", "-1", "x", "99999999999999999999", "3c9b274f-fe96-4b92-a9e8-5c44d34934f2", ""]
)
def test_no_place_breaks_the_list(ada_browser: Browser, place: str) -> None:
    for name in ("after", "before", "page"):
        assert "Ada Admin" in ada_browser.page(f"{LIST}?{name}={place}").text
        assert "Ada Admin" in ada_browser.page(f"{LIST}?q=ada&{name}={place}").text


def test_deactivating_takes_a_member_out_of_everything(app: Flask, ada_browser: Browser, ada: Member) -> None:
    anna, other = with_password("Anna", email="anna@firm.test"), make_member("Otto")
    lead = actor_of(anna)
    matter_id = open_matter(lead, "Project Heron", editor=other)
    transfer_id = busy(anna, matter_id)
    annas = Browser(app)
    assert sign_in(annas, "anna@firm.test").status_code == 303 and is_signed_in(annas)

    confirm = ada_browser.page(f"{LIST}/{anna.id}/deactivate", htmx=True)
    assert (
        "1 matter" in confirm.text
        and "Project Heron" in confirm.text
        and "1 sign-in to iManage" in confirm.text
    )
    assert ada_browser.post(f"{LIST}/{anna.id}/deactivate").status_code == 303

    assert not is_signed_in(annas)
    assert sign_in(annas, "anna@firm.test").status_code == 422
    session().rollback()
    for table in (Participant, Connection, ServerMember):
        assert session().scalar(select(func.count()).where(table.member_id == anna.id)) == 0
    assert session().scalar(select(func.count()).where(Participant.member_id == other.id)) == 1
    transfer = session().get_one(Transfer, transfer_id)
    assert transfer.cancelled_at and transfer.finished_at
    assert [item.state for item in transfer.items] == ["stopped"]
    assert ("member.deactivated", "done", "Anna") in trail()
    assert "Deactivated" in ada_browser.page(f"{LIST}/{anna.id}").text


def test_taking_back_restores_nothing_but_the_sign_in(app: Flask, ada_browser: Browser) -> None:
    anna = with_password("Anna", email="anna@firm.test")
    open_matter(actor_of(anna))
    ada_browser.post(f"{LIST}/{anna.id}/deactivate")
    ada_browser.post(f"{LIST}/{anna.id}/reactivate")
    session().rollback()
    assert session().scalar(select(func.count()).where(Participant.member_id == anna.id)) == 0
    living = select(func.count()).where(SignInSession.member_id == anna.id, SignInSession.ended_at.is_(None))
    assert session().scalar(living) == 0
    assert sign_in(Browser(app), "anna@firm.test").status_code == 303


def test_nobody_deactivates_themselves(ada_browser: Browser, ada: Member) -> None:
    make_member("Second", is_admin=True)
    assert "You cannot deactivate yourself." in ada_browser.get(f"{LIST}/{ada.id}").get_data(as_text=True)
    assert ada_browser.post(f"{LIST}/{ada.id}/deactivate").status_code == 409
    assert found("ada@firm.test").is_active


def test_the_last_two_admins_cannot_deactivate_each_other(app: Flask, ada: Member) -> None:
    second = make_member("Second", is_admin=True)
    one, two = actor_of(ada), actor_of(second)

    def act(actor: Actor, target: uuid.UUID) -> str:
        offboarding.deactivate(actor, target)
        return "done"

    answers = at_once(app, partial(act, one, two.id), partial(act, two, one.id))
    assert sum(answer == "done" for answer in answers) == 1
    assert sum(isinstance(answer, ConflictError) for answer in answers) == 1


def test_a_new_password_ends_the_old_one_and_every_session(app: Flask, ada_browser: Browser) -> None:
    anna = with_password("Anna", email="anna@firm.test")
    annas = Browser(app)
    sign_in(annas, "anna@firm.test")
    ada_browser.page(f"{LIST}/{anna.id}/password", htmx=True)
    answer = ada_browser.post(f"{LIST}/{anna.id}/password", htmx=True)
    made = re.search(r'id="made-password">([a-z0-9-]+)<', answer.get_data(as_text=True))
    assert made and not is_signed_in(annas)
    assert sign_in(annas, "anna@firm.test").status_code == 422
    assert sign_in(annas, "anna@firm.test", made[1]).status_code == 303
    assert ("password.reset", "done", "Anna") in trail()


@pytest.mark.parametrize("part", ["", "/deactivate", "/password"])
def test_a_member_who_is_not_there_is_not_found(ada_browser: Browser, part: str) -> None:
    assert ada_browser.get(f"{LIST}/{uuid.uuid4()}{part}").status_code == 404


def test_pages_work_without_htmx_too(ada_browser: Browser) -> None:
    anna = make_member("Anna")
    for url in (f"{LIST}/new", f"{LIST}/{anna.id}/deactivate", f"{LIST}/{anna.id}/password"):
        ada_browser.page(url)
    shown = ada_browser.post(f"{LIST}/{anna.id}/password")
    assert "It is shown only once." in read(shown, whole=True).text


def test_no_hash_is_on_any_page(ada_browser: Browser) -> None:
    anna = with_password("Anna")
    for url in (LIST, f"{LIST}/{anna.id}", "/admin/audit"):
        assert "argon2" not in ada_browser.get(url).get_data(as_text=True)
    assert passwords.hash_of("x") not in repr(people.NewMember("a", "b", PASSWORD))
    assert PASSWORD not in repr(people.NewMember("a", "b", PASSWORD))


def busy(member: Member, matter_id: uuid.UUID) -> uuid.UUID:
    """The member is signed in to a server that lists them, and one of their transfers waits for a sign-in."""
    server_id = add_server()
    with unit_of_work() as writing:
        writing.add(ServerMember(server_id=server_id, member_id=member.id))
        writing.add(
            Connection(
                server_id=server_id,
                member_id=member.id,
                access_token="sealed",
                imanage_user="anna",
                base_url="https://x",
            )
        )
        transfer = Transfer(
            request_key=uuid.uuid4(),
            kind="get",
            matter_id=matter_id,
            server_id=server_id,
            server_name="London DMS",
            member_id=member.id,
        )
        writing.add(transfer)
        writing.flush()
        writing.add(
            TransferItem(
                transfer_id=transfer.id, position=1, name="a", state="needs_sign_in", target="new_document"
            )
        )
        return transfer.id
