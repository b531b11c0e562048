"""What the services need from outside, bound once by the composition root: settings and the blob store."""

from __future__ import annotations

from dataclasses import dataclass

from config import Settings
from imanage.addresses import AddressRules
from storage import BlobStore


@dataclass(frozen=True)
class Runtime:
    settings: Settings
    blobs: BlobStore


_runtime: Runtime | None = None


def bind(runtime: Runtime) -> None:
    global _runtime
    _runtime = runtime


def runtime() -> Runtime:
    if _runtime is None:
        raise RuntimeError("The services were used before create_app() bound the runtime.")
    return _runtime


def address_rules() -> AddressRules:
    """The rules for server addresses, applied to what admins enter and to every connection."""
    settings = runtime().settings
    return AddressRules(
        ports=settings.imanage_ports,
        allow_http=settings.imanage_allow_http,
        networks=settings.imanage_networks,
        cloud_domain=settings.cloud_domain,
        domains=settings.imanage_domains,
    )
