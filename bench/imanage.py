"""`python -m bench.imanage --port N`: the practice iManage with source and target folders.

`--folders 6 --documents 300` creates six folders of 50 kB documents and six empty target folders; `--large 1 5120`
creates single documents of so many MiB. Their ids are written to `--index` once the server is ready.
"""

from __future__ import annotations

import argparse
import json
import signal
import threading
from pathlib import Path
from random import Random

from bench.listing import PREFIX as listing_at
from bench.listing import listing
from bench.webdav import PREFIX as webdav_at
from bench.webdav import webdav
from simulator import Settings, Simulator
from simulator.contents import Generated, Inline
from simulator.seed import practice_app, practice_world

SMALL = 50_000


def small(seed: int) -> Inline:
    """The content of a small document, generated beforehand so that its cost is not measured."""
    return Inline(Random(seed).randbytes(SMALL))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folders", type=int, default=0)
    parser.add_argument("--documents", type=int, default=0)
    parser.add_argument("--large", type=int, nargs="*", default=[])
    parser.add_argument("--index", type=Path, required=True)
    options = parser.parse_args()
    world = practice_world(practice_app())
    heron = world.folder("Project Heron")
    seeds = iter(range(1, options.folders * options.documents + 1))
    sources, source_folders, targets, shown = [], [], [], []
    for index in range(1, options.folders + 1):
        folder = world.add_folder(heron, f"Bench {index}")
        made = [
            world.add_document(folder, f"Document {seed:05d}", "docx", small(seed), "ALICE")
            for _, seed in zip(range(options.documents), seeds, strict=False)
        ]
        sources.append([each.id() for each in made])
        source_folders.append(folder.id)
        shown.append({f"{each.key[1]}.docx": each for each in made})
        targets.append(world.add_folder(heron, f"Bench target {index}").id)
    folder = world.add_folder(heron, "Bench large")
    large = {
        mib: world.add_document(folder, f"Large {mib}", "bin", Generated(mib << 20, mib), "ALICE").id()
        for mib in options.large
    }
    ending = threading.Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: ending.set())
    with Simulator(world, options.port, settings=Settings(), quiet=True) as practice:
        index_of_ids = {
            "sources": sources,
            "source_folders": source_folders,
            "targets": targets,
            "large": large,
            "listing": practice.add_listener(listing(shown)) + listing_at,
            "webdav": practice.add_listener(webdav()) + webdav_at,
        }
        whole = options.index.with_suffix(".new")  # renamed into place, so that readers see all or nothing
        whole.write_text(json.dumps(index_of_ids))
        whole.replace(options.index)
        ending.wait()


if __name__ == "__main__":
    main()
