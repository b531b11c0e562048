"""The matters room: a person's matters, their people, documents and versions."""

from __future__ import annotations

from blueprints.matters import documents, matters, people, versions
from blueprints.matters.room import room

__all__ = ["documents", "matters", "people", "room", "versions"]
