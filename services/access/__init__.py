"""Authorization: permissions, the rules of who may use a server, and rate limits."""
