"""What `demo run` starts last: it creates the demo firm the first time, and prints where to go."""

from __future__ import annotations

import os
import sys
import time

import click
import requests
from flask import current_app

from commands import demo_firm
from commands.up import PRIVATE
from config import Settings
from services.core.errors import RefusedError
from services.matters.quotas import QuotaReachedError

MADE = "practice-firm.made"
ANSWER_SECONDS = 30
QUOTAS = {
    "quota.installation": "COUNTERPART_QUOTA_BYTES",
    "quota.matter": "COUNTERPART_QUOTA_MATTER_BYTES",
    "quota.member": "COUNTERPART_QUOTA_MEMBER_BYTES",
}


@click.command("demo-firm")
@click.argument("practice_url")
def command(practice_url: str) -> None:
    """Create the demo firm, and print where to go. Reads the practice iManage's secret from standard input."""
    os.umask(PRIVATE)
    settings: Settings = current_app.config["SETTINGS"]
    secret = sys.stdin.read()
    _wait_for(f"{practice_url}/api")
    made = settings.data_dir / MADE
    if not made.exists() and not demo_firm.is_complete():
        print("Creating the demo firm and its documents …", flush=True)
        try:
            demo_firm.make(practice_url, secret)
        except RefusedError as refusal:
            raise click.ClickException(f"The demo firm could not be created. {_reason(refusal)}") from None
    made.touch()
    _wait_for(f"{settings.public_url}/health/live")
    print(f"\n  Counterpart:       {settings.public_url}")
    print(f"  Practice iManage:  {practice_url}   (user and password: alice, alice-practice; bram, …)\n")
    for member, what in demo_firm.PEOPLE:
        organisation = f", {member.organisation}" if member.organisation else ""
        print(f"    {member.email:28} {member.password}   {what}{organisation}")
    print("\n  Ctrl-C stops everything. Your changes are kept for the next start.\n", flush=True)


def _reason(refusal: RefusedError) -> str:
    """The person who runs the demo sets the limits, so there is nobody to ask for more space."""
    reached = refusal.__cause__
    if isinstance(reached, QuotaReachedError):
        return (
            f"{reached.sentence} Raise {QUOTAS[reached.code]} or remove it, "
            "then start the demo again. It resumes where it stopped."
        )
    return refusal.text


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        try:
            requests.get(url, timeout=2)
            return
        except requests.RequestException:
            if time.monotonic() > deadline:
                raise click.ClickException(f"{url} did not answer within {ANSWER_SECONDS} seconds.") from None
            time.sleep(0.1)
