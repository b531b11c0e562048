"""Fixtures and helpers of the tests, one subject a file."""
