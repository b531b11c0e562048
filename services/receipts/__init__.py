"""Custody receipts: what a version is, where it came from and who could see it, signed by the installation."""
