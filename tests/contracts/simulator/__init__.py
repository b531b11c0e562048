"""Tests the practice server against iManage's public documentation, with plain requests."""
