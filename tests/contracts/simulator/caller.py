"""A user's calls to the practice API, with plain requests."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any, Self

import requests

from simulator import Simulator


def refused_field(answer: requests.Response) -> str:
    """The field that a request was refused for."""
    assert answer.status_code == 400, answer.text
    return str(answer.json()["error"]["messages"][0]["field"])


class Caller:
    def __init__(self, sim: Simulator, user: str, library: str = "Active") -> None:
        self.sim, self.library = sim, library
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["X-Auth-Token"] = sim.token_for(user)
        self.customer = f"{sim.url}/work/api/v2/customers/4242"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.session.close()

    def url(self, path: str) -> str:
        return f"{self.customer}/libraries/{self.library}/{path}"

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.session.request(method, self.url(path), timeout=10, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.call("GET", path, **options)

    def data(self, path: str, **options: Any) -> Any:
        answer = self.get(path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def send(
        self, method: str, path: str, content: bytes, profile: dict[str, Any] | None = None, **beside: Any
    ) -> requests.Response:
        """Send a `profile` and a `file` part."""
        text = json.dumps({"doc_profile": profile or {}} | beside)
        parts = {"profile": (None, text, "application/json"), "file": ("upload.bin", content)}
        return self.call(method, path, files=parts)
