"""`python -m bench.asking MEMBER SERVER THREADS`: concurrent calls to iManage; prints how many succeeded."""

from __future__ import annotations

import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

from app import create_app
from imanage.client import Client
from services.connections import tokens


def main() -> None:
    member, server, number = uuid.UUID(sys.argv[1]), uuid.UUID(sys.argv[2]), int(sys.argv[3])
    app = create_app()
    barrier = threading.Barrier(number)

    def ask(_index: int) -> bool:
        with app.app_context():
            barrier.wait()
            return tokens.with_client(member, server, _libraries)

    with ThreadPoolExecutor(number) as pool:
        print(sum(pool.map(ask, range(number))))


def _libraries(client: Client) -> bool:
    return bool(client.data("GET", "libraries"))


if __name__ == "__main__":
    main()
