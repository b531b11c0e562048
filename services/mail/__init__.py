"""Email: the outbox, the connection to the mail server, and retries."""
