"""Text from outside: normalised names, email addresses, file names, CSV and local redirects."""
