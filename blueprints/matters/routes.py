"""Registers the routes of matters, their people, documents and versions."""

from __future__ import annotations

from blueprints.matters import bp, checking_files, documents, matters, people, versions

__all__ = ["bp", "checking_files", "documents", "matters", "people", "versions"]
