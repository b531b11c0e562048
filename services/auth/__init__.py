"""Authentication: passwords, sessions, signing in and its throttle."""
