"""Templates and styles as a whole: no inline code, existing icons, contrast, and the budget for a first visit."""

from __future__ import annotations

import gzip
import re

import pytest

from blueprints import nav
from blueprints.assets import COMPONENTS
from tests.support.repository import ROOT

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
WORD = re.compile(r"-?[a-z_][\w-]*", re.IGNORECASE)
SPRITE = (ROOT / "static/icons.svg").read_text()
ICONS = set(re.findall(r'<symbol id="([^"]+)"', SPRITE))

# What the content security policy refuses, or what htmx could only do by eval (a condition in a trigger).
NEEDS_MORE = re.compile(
    r"""<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+\s*=\s*["']|javascript:"""
    r"""|hx[-_]on|["']js:|hx[-_]trigger=["'][^"']*\["""
)
NAMES_AN_ICON = re.compile(
    r"""(?:\bicon\(|icon_name=|\b(?:menu_)?button\("[^"]*",\s"""
    r"""|\b(?:link_button|post_button|menu_link|menu_post)\("[^"]*",\s(?:[^,()]|\([^()]*\))*,\s)"""
    r""""([a-z][a-z0-9-]*)\""""
)


def test_no_template_needs_inline_code_or_eval() -> None:
    found = [(path.name, hit) for path in TEMPLATES for hit in NEEDS_MORE.findall(path.read_text())]
    assert found == []


def test_every_named_icon_exists() -> None:
    used = {name for path in TEMPLATES for name in NAMES_AN_ICON.findall(path.read_text())}
    used |= {row[3] for row in (*nav.MEMBER_ITEMS, *nav.ADMIN_ITEMS)}
    assert used - ICONS == set()
    assert len(used) > 10


def test_every_macro_is_in_the_readme() -> None:
    parts = [(ROOT / f"templates/components/{name}.html").read_text() for name in COMPONENTS]
    offered = set(re.findall(r"{% macro ([a-z]\w+)", "".join(parts)))
    readme = (ROOT / "templates/components/README.md").read_text()
    assert {name for name in offered if not re.search(rf"`{name}[`(]", readme)} == set()


def test_what_a_first_visit_loads_stays_within_its_budget() -> None:
    # Scripts named in `data-script` are loaded by a click.
    names = re.compile(r"""(?:src|href)="\{\{ asset\('([^']+\.(?:css|js))'\)""")
    everywhere = set(names.findall((ROOT / "templates/_head.html").read_text()))
    assert len(everywhere) > 5
    weight = {name: len(gzip.compress((ROOT / "static" / name).read_bytes())) for name in everywhere}
    for path in TEMPLATES:
        own = set(names.findall(path.read_text())) - everywhere
        extra = sum(len(gzip.compress((ROOT / "static" / name).read_bytes())) for name in own)
        if path.name.startswith("_picker"):
            assert extra <= 5_000, path.name  # not part of a first visit: loaded by Get or Save
        else:
            assert sum(weight.values()) + extra <= 60_000, path.name


def test_every_class_of_tabler_that_is_used_was_kept() -> None:
    """`make tabler` rebuilds the stylesheet and lists the classes of the whole Tabler in classes.txt."""
    theirs = set((ROOT / "tools/tabler/classes.txt").read_text().split())
    (purged,) = ROOT.glob("static/vendor/tabler-*/tabler.purged.css")
    kept = set(re.findall(rf"\.({WORD.pattern})", purged.read_text(), re.IGNORECASE))
    classes = re.compile(r"""class(?:Name)?\s*=\s*["']([^"']*)|classList\.\w+\(([^)]*)""")
    sources = [*TEMPLATES, *(ROOT / "static/js").glob("*.js")]
    named = ["".join(hit) for path in sources for hit in classes.findall(path.read_text())]
    used = {word for names in named for word in WORD.findall(names)}
    assert len(used & theirs) > 10
    assert used & theirs - kept == set()


def test_vendored_files_have_version_and_licence() -> None:
    for folder in (ROOT / "static/vendor").iterdir():
        assert re.fullmatch(r"[a-z-]+-\d+\.\d+\.\d+", folder.name), folder
        assert (folder / "LICENSE").is_file(), folder


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


TOKENS = {
    name: (light, dark)
    for name, light, dark in re.findall(
        r"--cp-([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)",
        (ROOT / "static/css/tokens.css").read_text(),
    )
}
TONES = ("neutral", "info", "success", "warning", "danger")
TEXT_ON = [
    *((f"{tone}-text", f"{tone}-wash") for tone in TONES),
    *(
        (text, ground)
        for text in ("text", "text-soft")
        for ground in ("canvas", "surface", "raised", "sunken")
    ),
    *((text, "hover") for text in ("text", "text-soft", "accent", "danger-text")),
    *(("accent", ground) for ground in ("canvas", "surface", "accent-wash")),
    ("text-soft", "accent-wash"),
]


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_ON)
def test_text_is_readable(mode: int, text: str, ground: str) -> None:
    assert contrast(TOKENS[text][mode], TOKENS[ground][mode]) >= 4.5


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_filled_buttons_and_the_edges_of_controls_can_be_seen(mode: int) -> None:
    for fill in ("fill", "danger"):
        assert contrast("#ffffff", TOKENS[fill][mode]) >= 4.5
    for edge in ("line-strong", "focus", "fill"):
        assert contrast(TOKENS[edge][mode], TOKENS["surface"][mode]) >= 3


def test_every_sign_in_to_imanage_takes_one_click() -> None:
    """The button that a script takes there directly; an ordinary form needs a page in between."""
    begins = [path.name for path in TEMPLATES if "oauth.begin" in path.read_text()]
    assert begins == ["_sign_in.html"]
