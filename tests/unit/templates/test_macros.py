"""Each macro alone, without a database: input stays text, a form carries its token, and what is empty says so."""

from __future__ import annotations

import re
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.repository import ROOT
from tests.unit.templates.test_components import HOSTILE, Outline, Renderer, renderer

__all__ = ["renderer"]

MACRO = re.compile(r"\{%-? macro ([a-z]\w+)\(")
COMPONENTS = ROOT / "templates" / "components"
BAD = SimpleNamespace(
    label=HOSTILE,
    value=HOSTILE,
    detail=HOSTILE,
    text=HOSTILE,
    hint=HOSTILE,
    title=HOSTILE,
    url="/x",
    state="done",
)

WITH_TEXT = {
    "avatar": "ui.avatar(bad)",
    "card": "{% call ui.card(bad, bad, bad) %}{{ bad }}{% endcall %}",
    "checklist": "ui.checklist([item], bad)",
    "dialog_actions": "{% call ui.dialog_actions(bad) %}{{ bad }}{% endcall %}",
    "form": "{% call ui.form('/x', title=bad) %}{{ bad }}{% endcall %}",
    "form_end": "ui.form_end(bad, true, '/x', cancel=bad)",
    "menu_link": "ui.menu_link(bad, '/x', none, bad)",
    "menu_post": "ui.menu_post(bad, '/x', none, bad)",
    "pager": "ui.pager('/1', '/3', bad, bad)",
    "post_button": "ui.post_button(bad, '/x', name='id', value=bad, about=bad)",
    "tabs": "ui.tabs([item], bad)",
    "toast_oob": "ui.toast_oob('success', bad, bad)",
    "upload_progress": "ui.upload_progress(bad)",
}
PLAIN = {"date", "menu_line"}


def _rendered(renderer: Renderer, call: str, **more: Any) -> str:
    return renderer.render(
        call if call.startswith("{%") else f"{{{{ {call} }}}}", bad=HOSTILE, item=BAD, **more
    )


@pytest.mark.parametrize("call", WITH_TEXT.values(), ids=WITH_TEXT.keys())
def test_input_stays_text(renderer: Renderer, call: str) -> None:
    html = _rendered(renderer, call)
    assert Outline(html).elements and not Outline(html).all("img")
    assert "onerror" not in html or "&lt;img" in html


def test_a_form_carries_its_token_and_says_where_its_response_goes(renderer: Renderer) -> None:
    outline = Outline(_rendered(renderer, "{% call ui.form('/x', file=true) %}{% endcall %}"))
    form = outline.one("form", method="post", action="/x")
    assert (form["hx-post"], form["hx-target"], form["hx-encoding"]) == ("/x", "#dialog", form["enctype"])
    assert outline.one("input", type_="hidden", name="csrf_token")["value"]
    plain = Outline(_rendered(renderer, "{% call ui.form('/x', target=none) %}{% endcall %}")).one("form")
    assert not {name for name in plain if name.startswith("hx-")}


@pytest.mark.parametrize("name", ["menu_post", "post_button"])
def test_a_form_of_one_button_carries_its_token(renderer: Renderer, name: str) -> None:
    outline = Outline(_rendered(renderer, WITH_TEXT[name]))
    assert outline.one("form", method="post", action="/x")
    assert outline.one("input", type_="hidden", name="csrf_token")["value"]
    assert outline.one("button", type_="submit")


def test_a_pager_without_pages_is_nothing(renderer: Renderer) -> None:
    assert renderer.render("{{ ui.pager() }}").strip() == ""


def test_a_day_is_written_out_or_missing(renderer: Renderer) -> None:
    html = renderer.render("{{ ui.date(day) }} {{ ui.date(none) }}", day=date(2026, 3, 4))
    assert Outline(html).one("time")["datetime"] == "2026-03-04"
    assert "4 Mar 2026" in html and html.rstrip().endswith("None")


def test_every_macro_is_tested_alone() -> None:
    macros = {name for path in COMPONENTS.glob("*.html") for name in MACRO.findall(path.read_text())}
    others = (ROOT / "tests/unit/templates/test_components.py").read_text()
    assert {
        name for name in macros - WITH_TEXT.keys() - PLAIN if not re.search(rf"\b{name}\b", others)
    } == set()
