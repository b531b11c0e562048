"""Registers the routes of matters, their people, documents and versions."""

from __future__ import annotations

from blueprints.matters import (
    bp,
    checking_files,
    closing_index,
    documents,
    exposure,
    guests,
    matters,
    people,
    reading,
    receipts,
    recycle_bin,
    undertakings,
    versions,
)

__all__ = [
    "bp",
    "checking_files",
    "closing_index",
    "documents",
    "exposure",
    "guests",
    "matters",
    "people",
    "reading",
    "receipts",
    "recycle_bin",
    "undertakings",
    "versions",
]
