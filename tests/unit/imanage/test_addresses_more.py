"""Allowed internal domains, and notices about completed addresses."""

from __future__ import annotations

import pytest

from imanage.addresses import AddressRefusedError, AddressRules, parse_server_url


def test_a_domain_of_one_network_is_refused_and_the_setting_named() -> None:
    with pytest.raises(AddressRefusedError) as refused:
        parse_server_url("https://imanage.firm.local", AddressRules())
    assert "COUNTERPART_IMANAGE_DOMAINS" in refused.value.sentence


def test_the_firms_own_domain_can_be_named() -> None:
    rules = AddressRules(domains=("firm.local",))
    assert parse_server_url("https://imanage.firm.local", rules).origin == "https://imanage.firm.local"
    for other in ("https://imanage.other.local", "https://xfirm.local", "https://metadata.firm.local"):
        with pytest.raises(AddressRefusedError):
            parse_server_url(other, rules)


def test_a_bare_host_is_completed_and_that_is_said() -> None:
    address = parse_server_url("imanage.firm.com/work/web", AddressRules())
    assert address.origin == "https://imanage.firm.com"
    assert address.notice == "We added “https://”. We removed “/work/web”. Only the host is needed."
