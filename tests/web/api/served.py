"""The API of a daemon, as a program with a token uses it."""

import json
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from tests.daemons import Daemon
from tests.small_engine import eventually

TOKEN = "operator-token-of-this-test"

VIEWER = "viewer-token-of-this-test"


@dataclass(frozen=True)
class Api:
    """The API of a daemon, for whoever holds a token."""

    address: str
    token: str = TOKEN

    def __call__(self, path: str, body: object = None, method: str | None = None) -> tuple[int, Any]:
        """GET a path below /api, or POST a body to it; the status and the JSON."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}"} | (
            {} if data is None else {"Content-Type": "application/json"}
        )
        request = urllib.request.Request(f"{self.address}/api{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as exc:
            return exc.code, json.load(exc)

    def ended(self, run: int) -> Any:
        """A run, once it has ended."""
        return eventually(lambda: (page := self(f"/runs/{run}")[1])["going"] is None and page)


def address_of(daemon: Daemon) -> str:
    """Where the dashboard of a daemon is."""
    daemon.says("the dashboard is at ")
    found = re.search(r"the dashboard is at (\S+)", daemon.text)
    assert found is not None
    return found[1]
