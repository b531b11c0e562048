"""The copying engine: bytes from a source to a destination, verified, resumable, never sent twice unchecked."""
