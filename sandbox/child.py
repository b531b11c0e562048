"""The sandboxed process: `python -m sandbox.child TASK OPTIONS`, with OPTIONS as JSON."""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module

from sandbox import limits


def main(task: str, options: str) -> int:
    run = import_module(f"sandbox.{task}").run
    given = json.loads(options)
    files = [os.fdopen(descriptor, "rb") for descriptor in given.pop("files")]
    limits.apply()
    try:
        for file in files:
            file.seek(0)
        output: bytes = run(files, **given)
    except limits.RefusedFileError as error:
        return _refuse(error.code, error.file)
    except MemoryError:
        return _refuse("too_large")
    except Exception as error:
        return _refuse("damaged", detail=type(error).__name__)
    sys.stdout.buffer.write(output)
    return 0


def _refuse(code: str, file: int | None = None, detail: str = "") -> int:
    sys.stdout.write(f"{code} {'-' if file is None else file} {detail}")
    return limits.REFUSED


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
