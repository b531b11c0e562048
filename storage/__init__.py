"""The bytes of every document, named by their SHA-256, on a local disk or in an object store.

A blob is written under a temporary name, hashed on the way, flushed, and only then published under its
address. What is published is whole, is never changed, and is the same file however often it arrives.
"""

from storage.errors import (
    BlobDamagedError,
    BlobMissingError,
    PartialBusyError,
    StorageError,
    StorageFailedError,
    StorageFullError,
)
from storage.opening import open_store
from storage.ports import CHUNK, Blob, BlobReader, BlobStore, BlobStream, BlobWriter, StoredBlob

__all__ = [
    "CHUNK",
    "Blob",
    "BlobDamagedError",
    "BlobMissingError",
    "BlobReader",
    "BlobStore",
    "BlobStream",
    "BlobWriter",
    "PartialBusyError",
    "StorageError",
    "StorageFailedError",
    "StorageFullError",
    "StoredBlob",
    "open_store",
]
