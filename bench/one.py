"""`python -m bench.one get|save …`: one document through the copying engine, in a separate process.

A get is profile, download, hash, fsync and publish; a save is the upload from the store. Prints the seconds.
"""

from __future__ import annotations

import argparse
import ipaddress
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from bench.wire import BASE, DOCUMENT, FOLDER
from copying import copy as copying_copy
from copying import outcome
from copying.imanage_endpoint import ImanageDestination, ImanageSource
from copying.store_endpoint import StoreSource
from copying.values import NewDocument
from imanage.addresses import AddressRules
from imanage.client import Client
from imanage.guard import build_session
from imanage.ids import VersionId
from storage import open_store


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("get", "save"))
    parser.add_argument("--origin", required=True)
    parser.add_argument("--certificate", type=Path, required=True)
    parser.add_argument("--store", required=True)
    parser.add_argument("--sha256", default="")
    options = parser.parse_args()
    rules = AddressRules(
        ports=frozenset({urlsplit(options.origin).port or 443}),
        allow_http=True,
        networks=(ipaddress.ip_network("127.0.0.0/8"),),
    )
    session = build_session(rules, ca_pem=options.certificate.read_text())
    client = Client(session, f"{options.origin}/{BASE}", "bench")
    store = open_store(options.store)
    began = time.perf_counter()
    if options.what == "get":
        copying_copy.fetch(ImanageSource(client, VersionId.parse(DOCUMENT)), store, "bench")
    else:
        source = StoreSource(store, options.sha256, "Bench", "bin")
        intent = outcome.announce(
            NewDocument(FOLDER), source.describe(), operator="bench", now=datetime.now(UTC), baseline=()
        )
        copying_copy.send(source, ImanageDestination(client, NewDocument(FOLDER)), intent)
    sys.stdout.write(f"{time.perf_counter() - began}\n")


if __name__ == "__main__":
    main()
