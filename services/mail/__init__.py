"""The outbox and the mail server: what is sent, retried and given up."""
