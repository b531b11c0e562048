"""Text from outside: normalised names, e-mail addresses, file names, CSV and local redirects."""
