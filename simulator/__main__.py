"""`python -m simulator --port N`: the practice iManage as a separate process."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator.faults import KINDS
from simulator.seed import PEOPLE, practice_app, practice_world
from simulator.server import Simulator
from simulator.settings import CHOICES, Settings, descriptions
from simulator.worlds import Loaded, load_world


def main() -> int:
    options = _options()
    try:
        secrets = _read_secrets(options.secrets)
    except (OSError, ValueError, TypeError) as error:
        sys.stderr.write(f"The practice iManage cannot read its secrets from {options.secrets}: {error}\n")
        return 1
    try:
        loaded = _loaded(options, secrets)
        _apply(loaded.settings, options.setting or [])
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sim = Simulator(
        world=loaded.world,
        settings=loaded.settings,
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
    except ValueError as error:
        sys.stderr.write(f"The practice iManage cannot start: {error}.\n")
        return 1
    if options.public_url:
        sim.settings.public_url = options.public_url
    if not options.quiet:
        sys.stdout.write(_banner(sim))
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


def _loaded(options: argparse.Namespace, secrets: Secrets) -> Loaded:
    """The world to serve. An application named by the options is added to that of a file."""
    if not options.world:
        redirects = tuple(options.redirect_uri or practice_app().redirect_uris)
        app = practice_app(redirects, options.client_id or practice_app().client_id, secrets.client_secret)
        return Loaded(practice_world(app), Settings())
    loaded = load_world(options.world)
    if options.client_id or options.redirect_uri or secrets.client_secret:
        first = loaded.world.apps[0]
        redirects = tuple(options.redirect_uri or first.redirect_uris)
        name = options.client_id or first.client_id
        loaded.world.add_app(practice_app(redirects, name, secrets.client_secret or first.client_secret))
    return loaded


def _apply(settings: Settings, given: list[str]) -> None:
    """Settings as `name=value`; the value is JSON, or text if it is not. Raises ValueError."""
    changes: dict[str, Any] = {}
    for one in given:
        name, equals, text = one.partition("=")
        if not equals:
            raise ValueError(f"--setting needs name=value, not {one!r}")
        try:
            changes[name] = json.loads(text)
        except ValueError:
            changes[name] = text
    settings.update(changes)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="A practice iManage Work: the REST API v2 with sign-in, data, and faults on demand.\n"
        "It listens until it is interrupted. Not a real system, and not for the open network.",
        epilog=_epilog(),
    )
    parser.add_argument("--port", type=int, required=True, help="port to listen on")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--world",
        metavar="FILE",
        help="YAML file with users, libraries and documents instead of the built-in world",
    )
    parser.add_argument("--data-dir", help="keep data, tokens and uploads in this folder across restarts")
    parser.add_argument("--public-url", default="", help="base URL of links and discovery")
    parser.add_argument(
        "--client-id", default="", help=f"client ID to register (default: {practice_app().client_id})"
    )
    parser.add_argument(
        "--redirect-uri", action="append", help="redirect URL to register, exactly as given; may be repeated"
    )
    parser.add_argument(
        "--setting",
        action="append",
        metavar="NAME=VALUE",
        help="change a setting from the start; the value is JSON or text; may be repeated",
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


def _epilog() -> str:
    """Users, settings and kinds of faults."""
    values = Settings().as_dict()
    lines = ["users of the built-in world (password: the id in lower case and -practice):"]
    lines += ["  " + ", ".join(user for user, _, _ in PEOPLE), ""]
    lines.append("settings, changed with --setting or PUT /_simulator/settings:")
    for name, text in descriptions().items():
        choices = f" [{', '.join(CHOICES[name])}]" if name in CHOICES else ""
        lines.append(f"  {name} = {json.dumps(values[name])}{choices}\n      {text}")
    lines += ["", "faults, added with POST /_simulator/faults:"]
    lines += [f"  {kind}: {text}" for kind, text in KINDS.items()]
    lines += ["", "examples:"]
    lines.append("  python -m simulator --port 8001")
    lines.append(
        "  python -m simulator --port 8001 --world simulator/worlds/example.yaml --setting lenient=true"
    )
    return "\n".join(lines)


def _banner(sim: Simulator) -> str:
    signs = ", ".join(f"{user.id.lower()} / {user.password}" for user in sim.world.users)
    lines = [f"Practice iManage (not a real system): {sim.settings.public_url or sim.url}"]
    lines.append(f"  Sign in as: {signs}")
    for app in sim.world.apps:
        secret = "public, no client secret" if app.public else f"client secret {app.client_secret}"
        lines.append(f"  Application: client ID {app.client_id}, {secret}")
        lines.append(f"  Redirect URL: {', '.join(app.redirect_uris)}")
    lines.append(f"  Control page: {sim.url}/_simulator/")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
