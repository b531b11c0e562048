"""The components: what they render, for whom, and that user input stays text."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask_wtf import CSRFProtect, FlaskForm
from wtforms import (
    BooleanField,
    FileField,
    PasswordField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from blueprints.assets import components
from services.core.errors import RefusedError
from tests.support.repository import ROOT

HOSTILE = "<img src=x onerror=alert(1)>\"'&\u202e"


class Outline(HTMLParser):
    """A page as a flat list of elements, each with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        names = {key.rstrip("_").replace("_", "-"): value for key, value in wanted.items()}
        return [a for t, a in self.elements if t == tag and all(a.get(k) == v for k, v in names.items())]

    def one(self, tag: str, **wanted: str) -> dict[str, str | None]:
        found = self.all(tag, **wanted)
        assert len(found) == 1, (tag, wanted, found)
        return found[0]

    def ids(self) -> Counter[str]:
        return Counter(a["id"] for _, a in self.elements if a.get("id"))


class EveryForm(FlaskForm):
    name = StringField("Name", validators=[InputRequired("Enter a name.")])
    secret = PasswordField("Client Secret")
    note = TextAreaField("Version note")
    role = SelectField("Role", choices=[SelectChoice("lead", "Lead"), SelectChoice("viewer", "Viewer")])
    kind = RadioField(
        "Kind", choices=[SelectChoice("cloud", "Cloud iManage"), SelectChoice("own", "On-premise")]
    )
    file = FileField("File")
    restricted = BooleanField("Restrict to specific members")


@dataclass(frozen=True)
class Renderer:
    """Renders one piece of template in a request, as a page would."""

    app: Flask

    def render(self, source: str, **context: Any) -> str:
        with self.app.test_request_context():
            return self.app.jinja_env.from_string(source).render(**self._context(), **context)

    def page(self, name: str, **context: Any) -> str:
        with self.app.test_request_context():
            return self.app.jinja_env.get_template(name).render(**self._context(), **context)

    @staticmethod
    def _context() -> dict[str, Any]:
        item = SimpleNamespace(label="Matters", url="/", icon="briefcase", current=True, section="Work")
        admin = SimpleNamespace(label="iManage", url="/s", icon="plug", current=True, section="Integrations")
        member = SimpleNamespace(
            is_authenticated=True, name="Amara Okafor", email="amara@firm.example", get_id=lambda: "1"
        )
        news = SimpleNamespace(under_way="", ended=None)
        return {
            "current_user": member,
            "nav": [item],
            "admin_nav": [admin],
            "in_admin": True,
            "transfer_news": news,
        }


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    app = Flask("templates", template_folder=str(ROOT / "templates"), static_folder=None)
    app.config.update(SECRET_KEY="unit", WTF_CSRF_TIME_LIMIT=None)
    CSRFProtect(app)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        asset=lambda path: f"/static/{path}", get_flashed_messages=lambda **_: [], ui=components(app)
    )
    app.add_url_rule("/account", "account.index", lambda: "")
    app.add_url_rule("/sign-out", "auth.sign_out", lambda: "", methods=["POST"])
    app.add_url_rule("/sign-in/page", "auth.renew_page", lambda: "")
    return Renderer(app)


@pytest.fixture
def refused(renderer: Renderer) -> EveryForm:
    with renderer.app.test_request_context(method="POST", data={"name": ""}):
        form = EveryForm(meta={"csrf": False})
        form.validate()
        return form


def test_a_refused_field_ties_label_hint_and_error_to_its_control(
    renderer: Renderer, refused: EveryForm
) -> None:
    page = Outline(renderer.render('{{ ui.field(form.name, hint="As members read it.") }}', form=refused))
    control = page.one("input", name="name")
    assert page.one("label")["for"] == control["id"] == "name"
    assert control["aria-invalid"] == "true"
    described = (control["aria-describedby"] or "").split()
    assert described == ["name-hint", "name-error"]
    assert set(described) <= set(page.ids())


@pytest.mark.parametrize("name", ["name", "secret", "note", "role", "file", "restricted"])
def test_every_kind_of_field_has_its_own_label(renderer: Renderer, refused: EveryForm, name: str) -> None:
    page = Outline(renderer.render("{{ ui.field(form[name], optional=true) }}", form=refused, name=name))
    assert page.one("label")["for"] == name
    assert name in page.ids()


def test_the_word_optional_is_not_part_of_the_label(renderer: Renderer, refused: EveryForm) -> None:
    html = renderer.render("{{ ui.field(form.secret, optional=true) }}", form=refused)
    assert '<label class="form-label" for="secret">Client Secret</label>' in html
    assert Outline(html).one("input")["aria-describedby"] == "secret-optional"


def test_radio_choices_are_one_named_group_and_carry_attributes(
    renderer: Renderer, refused: EveryForm
) -> None:
    html = renderer.render(
        '{{ ui.field(form.kind, notes={"own": "Wherever it is hosted"}, hx_get="/form", hx_trigger="change") }}',
        form=refused,
    )
    page = Outline(html)
    assert page.one("fieldset")["hx-get"] == "/form"
    assert [a["value"] for a in page.all("input", type="radio")] == ["cloud", "own"]
    assert {a["for"] for a in page.all("label")} <= set(page.ids())
    assert "<legend" in html and "Wherever it is hosted" in html


def test_a_boolean_field_can_be_a_switch(renderer: Renderer, refused: EveryForm) -> None:
    page = Outline(renderer.render("{{ ui.field(form.restricted, switch=true) }}", form=refused))
    assert page.one("input")["role"] == "switch"


def test_the_summary_leads_to_each_field_and_says_what_has_no_field(
    renderer: Renderer, refused: EveryForm
) -> None:
    refused.form_errors = ["The server is already there."]
    html = renderer.render("{{ ui.error_summary(form) }}", form=refused)
    assert [a["href"] for a in Outline(html).all("a")] == ["#name", "#role", "#kind"]
    assert "The server is already there." in html


def test_no_errors_draw_no_summary(renderer: Renderer) -> None:
    with renderer.app.test_request_context():
        form = EveryForm(meta={"csrf": False})
    assert renderer.render("{{ ui.error_summary(form) }}", form=form).strip() == ""


@pytest.mark.parametrize(("on", "checked", "sent"), [("true", "true", "0"), ("false", "false", "1")])
def test_a_switch_is_a_form_that_posts_the_other_state(
    renderer: Renderer, on: str, checked: str, sent: str
) -> None:
    html = renderer.render('{{ ui.switch("enabled", "Enabled", ' + on + ', "/s/1", hx_target="#state") }}')
    page = Outline(html)
    button, form = page.one("button"), page.one("form")
    assert (button["role"], button["aria-checked"], button["value"]) == ("switch", checked, sent)
    assert button["type"] == "submit" and form["method"] == "post" and form["hx-target"] == "#state"
    assert page.one("input", name="csrf_token")["value"]


def test_a_refusal_greys_a_button_says_why_and_sends_nothing(renderer: Renderer) -> None:
    source = '{{ ui.button("Save", type="submit", refusal="Only a lead may save.", hx_post="/save") }}'
    button = Outline(renderer.render(source)).one("button")
    assert button["aria-disabled"] == "true" and button["aria-description"] == "Only a lead may save."
    assert "hx-post" not in button and button["type"] == "button"


@pytest.mark.parametrize(
    "source",
    [
        "{{ ui.button(x, id=x) }}",
        "{{ ui.link_button(x, '/') }}",
        "{{ ui.badge(x) }}",
        "{{ ui.alert('info', x, x) }}",
        "{{ ui.toast('danger', x, x, x) }}",
        "{{ ui.person(x, x) }}",
        "{{ ui.chip(x, 'member', x, x) }}",
        "{{ ui.copy_button(x) }}",
        "{{ ui.result_button(x, x, end=x) }}",
        "{{ ui.progress(1, 2, x, x) }}",
        "{{ ui.breadcrumb([(x, '/'), (x, none)]) }}",
        "{{ ui.empty(x, x) }}",
        "{{ ui.search(x, '/', '#r', value=x) }}",
        "{% call ui.dialog(x, text=x) %}{{ x }}{% endcall %}",
        "{% call ui.menu('m', about=x) %}{{ ui.menu_button(x, note=x) }}{% endcall %}",
        "{% call ui.table([x], x) %}<tr>{% call ui.cell(x) %}{{ x }}{% endcall %}</tr>{% endcall %}",
        "{% call ui.details() %}{{ ui.detail(x, x) }}{{ ui.detail(x, x, copy=true) }}{% endcall %}",
    ],
)
def test_hostile_names_stay_text(renderer: Renderer, source: str) -> None:
    page = Outline(renderer.render(source, x=HOSTILE))
    assert page.all("img") == []
    assert not [a for _, a in page.elements if any(key.startswith("on") for key in a)]


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (1_073_741_824, "1.07 GB"),
        (None, "Unknown"),
    ],
)
def test_sizes_read_as_people_write_them(renderer: Renderer, size: int | None, words: str) -> None:
    assert renderer.render("{{ ui.filesize(size) }}", size=size) == words


@pytest.mark.parametrize("zone", [None, UTC])
def test_a_moment_is_marked_as_utc_and_readable(renderer: Renderer, zone: Any) -> None:
    html = renderer.render("{{ ui.time(moment) }}", moment=datetime(2026, 11, 3, 7, 5, tzinfo=zone))
    assert ">3 Nov 2026, 07:05 UTC</time>" in html
    stamp = Outline(html).one("time")["datetime"] or ""
    assert datetime.fromisoformat(stamp) == datetime(2026, 11, 3, 7, 5, tzinfo=UTC)


def test_unknown_progress_has_no_value(renderer: Renderer) -> None:
    assert "value" not in Outline(renderer.render('{{ ui.progress(none, label="Saving") }}')).one("progress")


@pytest.mark.parametrize(("tone", "stays"), [("danger", "stay"), ("warning", "stay"), ("success", "leave")])
def test_only_success_toasts_disappear_by_themselves(renderer: Renderer, tone: str, stays: str) -> None:
    page = Outline(renderer.render("{{ ui.toast(tone, 'Done.') }}", tone=tone))
    assert [a["data-toast"] for _, a in page.elements if "data-toast" in a] == [stays]


ERROR = RefusedError("It took too long.", code="x", title="iManage did not answer", next_step="Try again.")


@pytest.mark.parametrize("name", ["base.html", "bare.html", "errors/page.html"])
def test_a_page_has_one_heading_unique_ids_and_a_way_to_the_content(renderer: Renderer, name: str) -> None:
    page = Outline(renderer.page(name, error=ERROR, request_id="7f3a"))
    assert len(page.all("h1")) == 1
    assert [name for name, count in page.ids().items() if count > 1] == []
    assert page.one("main")["id"] == "content"
    assert page.one("meta", name="csrf-token")["content"]
    assert all("src" in a for a in page.all("script"))


def test_signing_out_is_a_post_with_a_token(renderer: Renderer) -> None:
    html = renderer.page("base.html")
    assert Outline(html).one("form", action="/sign-out")["method"] == "post"


def test_an_error_reads_the_same_as_a_page_and_as_a_toast(renderer: Renderer) -> None:
    for name in ("errors/page.html", "errors/_fragment.html"):
        html = renderer.page(name, error=ERROR, request_id="7f3a")
        for words in (ERROR.title, ERROR.sentence, ERROR.next_step, "7f3a"):
            assert words in html
