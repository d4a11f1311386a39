"""A compute worker as a step speaks with it: its health, and requests that are repeated if that is safe.

nobody listened           nothing was sent: tried again
502, 503, 504             a proxy, or the worker, says that it did nothing: tried again
anything else             it may have acted: not tried again

The pauses are 0.5, 1, 2, ... seconds, and a little by chance. All of it ends at one moment, `ends_at`, which is a
reading of `time.monotonic()`.
"""

import random
import time
from collections.abc import Mapping

from janitor.errors import DeadlineExceeded, Skip
from janitor.http import Bounds, Client, RequestFailed, Response, server_of
from janitor.items.trying import Failed
from janitor.runs import current_run

LOOK_SECONDS = 0.5
"""How often a worker that is not healthy yet is asked again."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
MAY_BE_REPEATED = frozenset({502, 503, 504})
MOST_BYTES_OF_HEALTH = 1_000_000


class ComputeWorker:
    """A server that computes; any thread may use it."""

    def __init__(self, url: str, connect_seconds: float, tries: int, health: str = "") -> None:
        """Nothing is connected yet; `health` is the path that says whether it can work, empty if there is none."""
        server = server_of(url)
        self.url, self.where = url.rstrip("/"), f"the compute worker at {server.host}:{server.port}"
        self._connect_seconds, self._tries, self._health = connect_seconds, tries, health
        self._client = Client(connect_seconds=connect_seconds)
        self._is_healthy = not health

    def wait_until_healthy(self, seconds: float, ends_at: float) -> None:
        """Wait so long until it can work, unless it is known to; after it was away, that is not known.

        Raises:
            Skip: it could not in time.
            DeadlineExceeded, Cancelled: as the run's `check` does.
        """
        give_up_at = min(ends_at, time.monotonic() + seconds)
        while not self._is_healthy:
            trouble = self.health_trouble(min(ends_at, time.monotonic() + self._connect_seconds))
            self._is_healthy = not trouble
            if trouble and time.monotonic() + LOOK_SECONDS >= give_up_at:
                raise Skip(f"{self.where} is not healthy: {trouble}")
            if trouble:
                current_run().sleep(LOOK_SECONDS)

    def health_trouble(self, ends_at: float) -> str:
        """Why it cannot work; empty if it can."""
        url, bounds = f"{self.url}{self._health}", Bounds(ends_at, current_run().check)
        try:
            found = self._client.ask("GET", url, b"", {}, bounds=bounds, most_bytes=MOST_BYTES_OF_HEALTH)
        except RequestFailed as exc:
            return str(exc)
        return "" if 200 <= found.status < 300 else f"it answered {found.status}"

    def ask(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], *, ends_at: float, most_bytes: int
    ) -> Response:
        """Its whole answer to a request, whatever its status is.

        Raises:
            Failed: there is none.
            DeadlineExceeded: it did not come in time.
            Cancelled: as the run's `check` does.
        """
        bounds = Bounds(ends_at, current_run().check)
        for attempt in range(1, self._tries + 1):
            pause = _pause(attempt)
            is_last = attempt == self._tries or time.monotonic() + pause >= ends_at
            try:
                found = self._client.ask(
                    method, f"{self.url}{path}", body, headers, bounds=bounds, most_bytes=most_bytes
                )
            except RequestFailed as exc:
                if not exc.is_unsent or is_last:
                    raise self._without_answer(exc, ends_at) from exc
            else:
                if found.status not in MAY_BE_REPEATED or is_last:
                    self._note_health(found.status not in MAY_BE_REPEATED)
                    return found
            current_run().sleep(pause)
        raise AssertionError("the last try returns or raises")

    def _without_answer(self, error: RequestFailed, ends_at: float) -> Failed | DeadlineExceeded:
        if error.is_unsent:
            self._note_health(False)
            return Failed(f"{self.where} cannot be asked: {error}", code="unavailable")
        if time.monotonic() >= ends_at:
            return DeadlineExceeded(f"{self.where} took longer than its step has: {error}")
        return Failed(f"{self.where} gave no whole answer: {error}", code="no answer")

    def _note_health(self, is_healthy: bool) -> None:
        self._is_healthy = not self._health or is_healthy


def _pause(attempt: int) -> float:
    return min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** (attempt - 1)) * random.uniform(1, 1.5)
