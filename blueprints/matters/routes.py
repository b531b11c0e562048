"""The matters room: a person's matters, their people, documents and versions."""

from __future__ import annotations

from blueprints.matters import checking_files, documents, matters, people, room, versions

__all__ = ["checking_files", "documents", "matters", "people", "room", "versions"]
