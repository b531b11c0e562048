"""The practice server against the public facts: plain requests, no client of ours."""
