"""Transfers as people ask for them and see them: requests, control, decisions, states and views."""
