"""Opens the store for a URL: `file:///path` or `s3://bucket/prefix`."""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote, urlsplit

from storage.local import LocalStore
from storage.ports import BlobStore

if TYPE_CHECKING:
    from obstore.store import S3Config, S3Store

CONNECT_TIMEOUT = timedelta(seconds=5)
REQUEST_TIMEOUT = timedelta(seconds=30)
"""Timeout of one request to an object store, including connect and body. Each carries at most 8 MiB."""
MAX_RETRIES = 4
"""A request is not retried after twice the request timeout in all."""


def open_store(url: str, *, options: Mapping[str, str] | None = None, spool: Path | None = None) -> BlobStore:
    """The store at this URL. Raises ValueError.

    `options` are the usual AWS_… variables and override the environment. `spool` is a local folder for files on their
    way into an object store; an interrupted download can be resumed only on the same machine.
    """
    parts = urlsplit(url)
    if parts.query or parts.fragment:
        raise ValueError("a storage address has no query and no fragment")
    match parts.scheme:
        case "file" if not parts.netloc and parts.path.startswith("/"):
            return LocalStore(Path(unquote(parts.path)))
        case "s3" if parts.netloc:
            if spool is None:
                raise ValueError("an object store needs a spool folder on a local disk")
            from storage.objects import ObjectBlobStore  # the library is loaded only where it is used

            return ObjectBlobStore(_bucket(parts.netloc, parts.path.strip("/"), options or {}), spool)
    raise ValueError("a storage address is file:///path or s3://bucket/prefix")


def _bucket(bucket: str, prefix: str, options: Mapping[str, str]) -> "S3Store":
    from obstore.store import S3Store

    given = {name.lower(): value for name, value in options.items() if name.upper().startswith("AWS_")}
    # The client reads the environment itself, but plain http endpoints have to be allowed explicitly.
    known = {**{name.lower(): value for name, value in os.environ.items()}, **given}
    endpoint = known.get("aws_endpoint_url_s3") or known.get("aws_endpoint_url") or known.get("aws_endpoint")
    given.setdefault("aws_checksum_algorithm", "SHA256")
    return S3Store(
        bucket,
        prefix=prefix or None,
        config=cast("S3Config", given),
        client_options={
            "allow_http": bool(endpoint and endpoint.startswith("http://")),
            "connect_timeout": CONNECT_TIMEOUT,
            "timeout": REQUEST_TIMEOUT,
        },
        retry_config={"max_retries": MAX_RETRIES, "retry_timeout": 2 * REQUEST_TIMEOUT},
    )
