"""The authorities that an admin added for this server: whether they are still in date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509

from services.diagnostics.probe_session import Found, Visit, passed, warned

SOON = timedelta(days=30)


def in_date(visit: Visit, origin: str) -> Found:
    """Warned of in good time. Whether the connection stands or falls is what the check of the certificate tells."""
    known = x509.load_pem_x509_certificates((visit.ca_pem or "").encode())
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
    return passed(f"The first of them to end is good for {left.days} more days.", *facts)
