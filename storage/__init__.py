"""The bytes of every document, named by their SHA-256, on a local disk or in an object store.

A blob is written to a temporary file, hashed while it is written, flushed, and only then published under its address.
Published blobs are complete and immutable, and the same content is stored once.
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
