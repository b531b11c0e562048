"""The check of the certificates under Custom CA: whether they are still valid."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509

from services.diagnostics.probe_session import Finding, Probe, passed, warned

SOON = timedelta(days=30)


def in_date(probe: Probe, origin: str) -> Finding:
    """At worst a warning: whether the connection is trusted is the result of the check Certificate."""
    known = x509.load_pem_x509_certificates((probe.ca_pem or "").encode())
    first = min(known, key=lambda each: each.not_valid_after_utc)
    left = first.not_valid_after_utc - datetime.now(UTC)
    facts = (
        ("Certificate", first.subject.rfc4514_string()[:200]),
        ("Valid until", first.not_valid_after_utc.strftime("%d %B %Y")),
    )
    if left < timedelta():
        return warned("ca.expired", *facts)
    if left < SOON:
        return warned("ca.expires", *facts)
    return passed(f"The first certificate to expire is valid for {left.days} more days.", *facts)
