"""Fixtures and functions that tests share, one subject in a file."""
