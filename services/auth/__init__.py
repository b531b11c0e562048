"""Authentication: passwords, sessions, signing in and its rate limit."""
