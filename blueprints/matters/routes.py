"""Registers the routes of matters, their people, documents and versions."""

from __future__ import annotations

from blueprints.matters import (
    bp,
    checking_files,
    documents,
    guests,
    matters,
    people,
    receipts,
    recycle_bin,
    undertakings,
    versions,
    viewing,
)

__all__ = [
    "bp",
    "checking_files",
    "documents",
    "guests",
    "matters",
    "people",
    "receipts",
    "recycle_bin",
    "undertakings",
    "versions",
    "viewing",
]
