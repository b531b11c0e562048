"""Input for the form *Add server*, and the resolver and settings that it is validated with."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from config import Settings
from models import Server, db
from services.core import runtime
from tests.support.servers import Names

PUBLIC = "93.184.216.34"
SECRET = "k33p-me-Secret"
KNOWN = {
    "imanage.firm.test": [PUBLIC],
    "api.firm.test": ["10.1.2.3"],
    "inside.firm.test": ["192.168.4.20"],
    "sly.firm.test": [PUBLIC, "169.254.169.254"],
    "cloudimanage.com": [PUBLIC],
    "firm.cloudimanage.com": [PUBLIC],
    "private.cloudimanage.com": ["10.0.0.9"],
}


def on_premise(**more: str) -> dict[str, str]:
    return {
        "kind": "on_premise",
        "name": "London DMS",
        "url": "https://imanage.firm.test",
        "api_url": "",
        "client_id": "counterpart",
        "client_secret": SECRET,
    } | more


def cloud(**more: str) -> dict[str, str]:
    return {
        "kind": "cloud",
        "name": "Firm Cloud",
        "subdomain": "firm",
        "client_id": "counterpart",
        "client_secret": SECRET,
    } | more


def count_servers() -> int:
    return db.session.scalar(select(func.count()).select_from(Server)) or 0


def use_names(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Names:
    """The hosts of KNOWN and no others; the database's own host is still found as ever."""
    names = Names(dict(KNOWN))
    real = socket.getaddrinfo
    database_host = make_url(settings.database_url).host

    def answer(host: str, *arguments: object, **more: object) -> object:
        asked = real if host == database_host else names.getaddrinfo
        return asked(host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return names


def use_strict_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of a real installation: https only, port 443, no network named."""
    strict = replace(runtime.runtime().settings, imanage_allow_http=False, imanage_networks=())
    monkeypatch.setattr(runtime, "_runtime", replace(runtime.runtime(), settings=strict))
