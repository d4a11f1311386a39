"""The process of the server that speaks as AWS does: moto, one request at a time.

moto's queues are plain lists: a message that comes while another is deleted would be lost. So each request has the
server to itself. A request that waits for messages asks again and again, and lets others in between.
"""

import io
import json
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import run_simple

RECEIVE = "AmazonSQS.ReceiveMessage"
PAUSE_SECONDS = 0.05
Start = Callable[..., Any]


class OneAtATime:
    """A WSGI application that lets one request after the other to another application."""

    def __init__(self, app: Callable[[dict[str, Any], Start], Iterable[bytes]]) -> None:
        self._app, self._turn = app, threading.Lock()

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """Answer a request."""
        if environ.get("HTTP_X_AMZ_TARGET") != RECEIVE:
            with self._turn:
                return list(self._app(environ, start))
        asked = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        end = time.monotonic() + asked.pop("WaitTimeSeconds", 0)
        now = json.dumps({**asked, "WaitTimeSeconds": 0}).encode()
        while True:
            told: list[Any] = []
            own = {**environ, "wsgi.input": io.BytesIO(now), "CONTENT_LENGTH": str(len(now))}
            with self._turn:
                answer = list(self._app(own, lambda *args: told.append(args)))
            if b'"Messages"' in b"".join(answer) or not told[0][0].startswith("200") or time.monotonic() >= end:
                start(*told[0])
                return answer
            time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    app = OneAtATime(DomainDispatcherApplication(create_backend_app))
    run_simple("127.0.0.1", int(sys.argv[1]), app, threaded=True, request_handler=MotoRequestHandler)
