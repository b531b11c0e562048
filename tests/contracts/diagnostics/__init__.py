"""Checking servers: each failure made for real, and the report that names it."""
