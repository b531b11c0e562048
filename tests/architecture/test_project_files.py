"""The files at the top agree with one another: version, checks, commands."""

from __future__ import annotations

import re
import tomllib

import yaml

from tests.architecture.sources import text_of

MAKEFILE = text_of("Makefile")
PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")


def _recipe(target: str) -> list[str]:
    (lines,) = re.findall(rf"(?m)^{target}:.*\n((?:\t.*\n)+)", MAKEFILE)
    return [line.strip().replace("$(BIN)", ".venv/bin") for line in lines.splitlines()]


def test_the_changelog_begins_with_the_version() -> None:
    version = tomllib.loads(text_of("pyproject.toml"))["project"]["version"]
    newest = re.search(r"(?m)^## (\S+)", text_of("CHANGELOG.md"))
    assert newest and newest[1] == version


def test_pre_commit_runs_what_make_check_runs() -> None:
    (repository,) = yaml.safe_load(text_of(".pre-commit-config.yaml"))["repos"]
    assert [hook["entry"] for hook in repository["hooks"]] == _recipe("check")


def test_every_command_of_make_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", MAKEFILE))
    named = {(page, name) for page in PAGES for name in re.findall(r"`make ([a-z-]+)", text_of(page))}
    assert [(page, name) for page, name in sorted(named) if name not in targets] == []


def test_the_readme_says_how_to_run_one_test() -> None:
    assert "tests/run -k" in text_of("README.md") and "CONTRIBUTING.md" in text_of("README.md")
