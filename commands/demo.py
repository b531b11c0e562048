"""`flask --app app demo run`: the practice firm and the practice iManage, in one terminal."""

from __future__ import annotations

import json
import secrets
import sys
import time
from pathlib import Path

import click
import requests
from flask import current_app
from flask.cli import AppGroup

from commands.preflight import only_one_here, require_free
from commands.serve import children, prepare
from commands.supervise import Child, supervise
from config import Settings
from services.core.errors import RefusedError
from services.matters.quotas import ASK, QuotaReachedError

group = AppGroup("demo", help="The practice firm.")
SECRET_FILE = "practice.secret"
MADE = "practice-firm.made"
LOOPBACK = "127.0.0.1"
QUOTAS = {
    "quota.installation": "COUNTERPART_QUOTA_BYTES",
    "quota.matter": "COUNTERPART_QUOTA_MATTER_BYTES",
    "quota.member": "COUNTERPART_QUOTA_MEMBER_BYTES",
}


@group.command("run")
@click.option("--practice-port", default=8001, show_default=True, help="Where the practice iManage listens.")
def run(practice_port: int) -> None:
    """Everything, until Ctrl-C; started again it goes on with what was there."""
    settings: Settings = current_app.config["SETTINGS"]
    with only_one_here(settings.data_dir):
        require_free(settings.host, settings.port)
        require_free(LOOPBACK, practice_port, "PRACTICE_PORT")
        prepare()
        url = f"http://{LOOPBACK}:{practice_port}"
        secret = _client_secret(settings.data_dir / SECRET_FILE)
        practice = _practice(settings, practice_port, secret)
        sys.exit(supervise([practice, *children()], ready=lambda: _welcome(settings, url, secret)))


def _welcome(settings: Settings, practice_url: str, secret: str) -> None:
    """Once the practice iManage answers: make the firm the first time, and say where to go."""
    from commands import demo_firm

    _wait_for(f"{practice_url}/api")
    with current_app.app_context():
        made = settings.data_dir / MADE
        if not made.exists() and not demo_firm.is_whole():
            print("Making the practice firm and its documents …", flush=True)
            try:
                demo_firm.make(practice_url, secret)
            except RefusedError as refusal:
                raise click.ClickException(f"The practice firm could not be made. {_said(refusal)}") from None
        made.touch()
    _wait_for(f"{settings.public_url}/health/live")
    print(f"\n  Counterpart:       {settings.public_url}")
    print(f"  Practice iManage:  {practice_url}   (user and password: alice, alice-practice; bram, …)\n")
    for person in demo_firm.PEOPLE:
        what = f"{person.what}, {person.organisation}" if person.organisation else person.what
        print(f"    {person.email:28} {demo_firm.PASSWORD}   {what}")
    print("\n  Ctrl-C stops everything; what you do here is kept until the next time.\n", flush=True)


def _said(refusal: RefusedError) -> str:
    """Whoever runs the demo sets the limits: there is nobody else to ask for more room."""
    reached = refusal.__cause__
    if isinstance(reached, QuotaReachedError):
        return (
            f"{reached.sentence.removesuffix(ASK).strip()} Set {QUOTAS[reached.code]} higher or leave it out, "
            "and start the demo again: it goes on with what is there."
        )
    return f"{refusal.sentence} {refusal.next_step}".strip()


def _practice(settings: Settings, port: int, secret: str) -> Child:
    command = [
        *(sys.executable, "-m", "simulator", "--port", str(port), "--quiet"),
        *("--data-dir", str(settings.data_dir / "practice-imanage")),
        *("--client-id", "counterpart-practice", "--redirect-uri", settings.redirect_url, "--secrets", "-"),
    ]
    return Child("practice iManage", command, told=json.dumps({"client_secret": secret}), ours=False)


def _client_secret(path: Path) -> str:
    """Whole or not there: a start that was broken off leaves none that is empty."""
    if not path.exists() or not path.read_text():
        draft = path.with_suffix(".draft")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_hex(16))
        draft.replace(path)
    return path.read_text()


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            requests.get(url, timeout=2)
            return
        except requests.RequestException:
            if time.monotonic() > deadline:
                raise click.ClickException(f"{url} did not answer within half a minute.") from None
            time.sleep(0.1)
