"""Paths of the repository and of the lists of hostile input."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LISTS = ROOT / "tests" / "support" / "lists"
