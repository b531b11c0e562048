"""`flask --app app demo run`: the demo firm and the practice iManage, in one terminal."""

from __future__ import annotations

import json
import secrets
import sys
from pathlib import Path

import click

from commands.preflight import make_data_dir, only_one_here, read_settings, require_free
from commands.supervise import Child, supervise
from commands.up import FLASK, children, prepare
from config import Settings

group = click.Group("demo", help="The demo firm.")
SECRET_FILE = "practice.secret"
LOOPBACK = "127.0.0.1"


@group.command("run")
@click.option(
    "--practice-port", default=8001, show_default=True, help="The port that the practice iManage listens on."
)
def run(practice_port: int) -> None:
    """Run everything until Ctrl-C. The next start continues with the same data."""
    settings = read_settings()
    make_data_dir(settings)
    with only_one_here(settings.data_dir):
        require_free(settings.host, settings.port)
        require_free(LOOPBACK, practice_port, "PRACTICE_PORT")
        prepare(settings)
        url = f"http://{LOOPBACK}:{practice_port}"
        secret = _client_secret(settings.data_dir / SECRET_FILE)
        welcome = Child("welcome", [*FLASK, "demo-firm", url], told=secret, once=True)
        sys.exit(supervise([_practice(settings, practice_port, secret), *children(), welcome]))


def _practice(settings: Settings, port: int, secret: str) -> Child:
    command = [
        *(sys.executable, "-m", "simulator", "--port", str(port), "--quiet"),
        *("--data-dir", str(settings.data_dir / "practice-imanage")),
        *("--client-id", "counterpart-practice", "--redirect-uri", settings.redirect_url, "--secrets", "-"),
    ]
    return Child("practice iManage", command, told=json.dumps({"client_secret": secret}), ours=False)


def _client_secret(path: Path) -> str:
    """Complete or absent: a start that was interrupted leaves no empty file."""
    if not path.exists() or not path.read_text():
        draft = path.with_suffix(".draft")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_hex(16))
        draft.replace(path)
    return path.read_text()
