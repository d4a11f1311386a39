"""The compute worker: an HTTP server that does three kinds of task, slowly; `python -m examples.worker.compute PORT`.

It stands for programs in any language that compute and know nothing of queues. A request to crash ends it, as a bug in
such a program would. It takes only requests with a token.
"""

import json
import os
import random
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "Bearer "
SECONDS = 2.0
LONGEST_SECONDS = 10.0
CHANGED = threading.Condition()
"""How many requests are at work has changed."""
GENES = ("Lyz2", "Cd8a", "Gzma", "Ms4a1", "Nkg7", "Cst3")


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    at_work = 0

    def do_GET(self) -> None:  # noqa: N802  # the standard library's name
        """Tell that it can work."""
        self._answer(200, {"status": "ready"})

    def do_POST(self) -> None:  # noqa: N802  # the standard library's name
        """Do a task, beside others."""
        self._count(1)
        try:
            self._do()
        finally:
            self._count(-1)

    def _do(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.headers.get("Authorization", "").startswith(TOKEN):
            self._answer(401, {"error": {"error_code": "NO_TOKEN", "user_message": "Sign in again."}})
            return
        body = request["body"]
        time.sleep(SECONDS)
        if body.get("crash"):
            # Alone: the example shows what becomes of this request, and not of its neighbours.
            with CHANGED:
                CHANGED.wait_for(lambda: Handler.at_work == 1, LONGEST_SECONDS)
                os._exit(1)
        if body.get("cells") == 0:
            self._answer(200, {"error": {"error_code": "NO_CELLS", "user_message": "There are no cells to look at."}})
            return
        self._answer(200, TASKS[body["name"]](body))

    def _count(self, change: int) -> None:
        with CHANGED:
            Handler.at_work += change
            CHANGED.notify_all()

    def _answer(self, status: int, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


def count_cells(body: dict[str, Any]) -> dict[str, Any]:
    """Count the cells of each cluster."""
    chance = random.Random(body["cells"])
    clusters = [chance.randint(1, body["cells"]) for _ in range(5)]
    return {"cells": body["cells"], "clusters": clusters}


def embed(body: dict[str, Any]) -> dict[str, Any]:
    """Give each cell its place in a plane."""
    chance = random.Random(body["cells"])
    return {"places": [[round(chance.gauss(0, 1), 3), round(chance.gauss(0, 1), 3)] for _ in range(body["cells"])]}


def marker_genes(body: dict[str, Any]) -> dict[str, Any]:
    """Name the genes that tell a cluster from the others."""
    return {"genes": random.Random(body["cluster"]).sample(GENES, body.get("count", 3))}


TASKS = {"CountCells": count_cells, "Embed": embed, "MarkerGenes": marker_genes}


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
