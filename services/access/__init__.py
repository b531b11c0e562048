"""Authorization: permissions in pairs, the rules of who may use a server, and rate limits."""
