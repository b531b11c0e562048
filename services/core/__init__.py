"""What every service is made of: who acts, what is refused, units of work, the audit and encryption."""
