"""`python -m simulator --port N`: the practice iManage as a separate process."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

from simulator.seed import practice_app, practice_world
from simulator.server import Simulator


def main() -> int:
    options = _options()
    try:
        secrets = _read_secrets(options.secrets)
    except (OSError, ValueError, TypeError) as error:
        sys.stderr.write(f"The practice iManage cannot read its secrets from {options.secrets}: {error}\n")
        return 1
    redirects = tuple(options.redirect_uri or practice_app().redirect_uris)
    app = practice_app(redirects, options.client_id, secrets.client_secret)
    sim = Simulator(
        world=practice_world(app),
        port=options.port,
        host=options.host,
        data_dir=options.data_dir,
        control_token=secrets.control_token,
        quiet=options.quiet,
    )
    ending = threading.Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: ending.set())
    try:
        sim.start()
    except OSError as error:
        sys.stderr.write(
            f"The practice iManage cannot listen on {options.host}:{options.port}: {error.strerror}.\n"
        )
        return 1
    if options.public_url:
        sim.settings.public_url = options.public_url
    if not options.quiet:
        sys.stdout.write(_banner(sim, app.client_id, app.client_secret, redirects))
        sys.stdout.flush()
    ending.wait()
    sim.stop()
    return 0


@dataclass(frozen=True)
class Secrets:
    """Values that other processes must not see."""

    client_secret: str = field(default="", repr=False)
    control_token: str = field(default="", repr=False)


def _read_secrets(source: str) -> Secrets:
    if not source:
        return Secrets()
    return Secrets(**json.loads(sys.stdin.read() if source == "-" else Path(source).read_text()))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulator", description="A practice iManage Work.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--data-dir", help="keep data, tokens and uploads in this folder across restarts")
    parser.add_argument("--public-url", default="", help="base URL of links and discovery")
    parser.add_argument("--client-id", default="counterpart-practice")
    parser.add_argument(
        "--redirect-uri", action="append", help="redirect URL to register, exactly as given; may be repeated"
    )
    parser.add_argument(
        "--secrets",
        default="",
        metavar="FILE",
        help='JSON file with "client_secret" and "control_token" (required by /_simulator/); - reads standard input. '
        "Not passed as arguments, because every user of the machine can read those",
    )
    parser.add_argument("--quiet", action="store_true", help="print nothing and show no passwords on pages")
    return parser.parse_args()


def _banner(sim: Simulator, client_id: str, client_secret: str, redirects: tuple[str, ...]) -> str:
    signs = ", ".join(f"{user.id.lower()} / {user.password}" for user in sim.world.users)
    return (
        f"Practice iManage (not a real system): {sim.settings.public_url or sim.url}\n"
        f"  Sign in as: {signs}\n"
        f"  Application: client ID {client_id}, client secret {client_secret}\n"
        f"  Redirect URL: {', '.join(redirects)}\n"
        f"  Control page: {sim.url}/_simulator/\n"
    )


if __name__ == "__main__":
    sys.exit(main())
