"""The copying engine: bytes from a source to a destination, verified, resumable, never sent twice unlooked-at.

It keeps no rows and sleeps nowhere: the caller records the intent before a send and the outcome after it,
asks `retrying` what to do about an error, and `settling` what became of a send whose answer was lost.
"""
