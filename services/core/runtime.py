"""What the services need from outside, bound once by the composition root: settings and bytes."""

from __future__ import annotations

from dataclasses import dataclass

from config import Settings
from imanage.addresses import AddressRules
from storage import BlobStore


@dataclass(frozen=True)
class House:
    settings: Settings
    blobs: BlobStore


_house: House | None = None


def bind(house: House) -> None:
    global _house
    _house = house


def house() -> House:
    if _house is None:
        raise RuntimeError("The services were used before create_app() bound the house.")
    return _house


def address_rules() -> AddressRules:
    """The rules for addresses that admins type and that connections are judged by."""
    settings = house().settings
    return AddressRules(
        ports=settings.imanage_ports,
        allow_http=settings.imanage_allow_http,
        networks=settings.imanage_networks,
        cloud_domain=settings.cloud_domain,
        domains=settings.imanage_domains,
    )
