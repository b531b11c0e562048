"""Matters: participants, documents, versions, uploads and storage limits."""
