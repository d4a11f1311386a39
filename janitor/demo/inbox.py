"""The demo's inbox: a webhook on this machine that takes the daemon's notices, for the demo to show."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MAX_BYTES = 1_000_000


class Inbox:
    """The notices that came, in order."""

    def __init__(self, url: str) -> None:
        """Nothing has come yet; `url` is the inbox's address."""
        self.url = url
        self.received: list[dict[str, Any]] = []
        self._new: deque[dict[str, Any]] = deque()

    def take(self, told: dict[str, Any]) -> None:
        """Keep a notice, or each notice of a digest."""
        for notice in told.get("notices", [told]):
            self.received.append(notice)
            self._new.append(notice)

    def news(self) -> list[str]:
        """Return a line for each notice that came since the last call."""
        found = [self._new.popleft() for _ in range(len(self._new))]
        return [f"notice: {notice['subject']} ({notice['sentence']})" for notice in found]


@contextmanager
def open_inbox() -> Iterator[Inbox]:
    """Give an inbox that listens on a free port of this machine during a block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = min(int(self.headers.get("Content-Length", 0)), MAX_BYTES)
            inbox.take(json.loads(self.rfile.read(length)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing: the demo shows what came."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        inbox = Inbox(f"http://127.0.0.1:{server.server_address[1]}/")
        threading.Thread(target=server.serve_forever, args=(0.1,), name="inbox", daemon=True).start()
        try:
            yield inbox
        finally:
            server.shutdown()
