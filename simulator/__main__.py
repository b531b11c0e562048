"""`python -m simulator --port N`: the practice iManage as a process of its own."""

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
        told = _told(options.secrets)
    except (OSError, ValueError, TypeError) as error:
        sys.stderr.write(f"The practice iManage cannot read its secrets from {options.secrets}: {error}\n")
        return 1
    redirects = tuple(options.redirect_uri or practice_app().redirect_uris)
    app = practice_app(redirects, options.client_id, told.client_secret)
    sim = Simulator(
        world=practice_world(app),
        port=options.port,
        host=options.host,
        data_dir=options.data_dir,
        control_token=told.control_token,
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
        sys.stdout.write(_greeting(sim, app.client_id, app.client_secret, redirects))
        sys.stdout.flush()
    ending.wait()
    sim.stop()
    return 0


@dataclass(frozen=True)
class Told:
    """What no other process may know."""

    client_secret: str = field(default="", repr=False)
    control_token: str = field(default="", repr=False)


def _told(source: str) -> Told:
    if not source:
        return Told()
    return Told(**json.loads(sys.stdin.read() if source == "-" else Path(source).read_text()))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulator", description="A practice iManage Work.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--data-dir", help="keep the world, tokens and uploads here over restarts")
    parser.add_argument("--public-url", default="", help="what links and discovery say")
    parser.add_argument("--client-id", default="counterpart-practice")
    parser.add_argument(
        "--redirect-uri", action="append", help="registered exactly as given; may be repeated"
    )
    parser.add_argument(
        "--secrets",
        default="",
        metavar="FILE",
        help='JSON with "client_secret" and "control_token" (asked for by /_simulator/); - reads it from the input. '
        "Never an argument: everybody on a machine can read those of every process",
    )
    parser.add_argument("--quiet", action="store_true", help="print nothing and show no passwords")
    return parser.parse_args()


def _greeting(sim: Simulator, client_id: str, client_secret: str, redirects: tuple[str, ...]) -> str:
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
