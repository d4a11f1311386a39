"""The notice that a part of the daemon fails again and again. It comes from memory: the notices may be that part.

a duty fails for the third time  ──> began, to every channel
it does well for a minute        ──> ended, to every channel

So is whatever else a person must know of the daemon: `Loops.note` tells it, and `note_over` its end.
"""

import socket
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone

from janitor.loops import Loops, Trouble
from janitor.notices.content import Content
from janitor.notices.post import Post
from janitor.state.deliveries import BEGAN, ENDED

FAILING, NOTED = "loop_failing", "trouble"


class TroubleNotices:
    """Tells each trouble of a process when it begins, and when it is over."""

    def __init__(self, loops: Loops, posts: Sequence[Post]) -> None:
        """Tell from now on; a channel that is in trouble itself is told too, and the others do not wait for it."""
        self._posts, self._host = posts, socket.gethostname()
        self._told: dict[str, Content] = {}
        loops.listen(self.take)

    def take(self, trouble: Trouble, over: bool) -> None:
        """Tell that a trouble has begun, or is over; from any thread."""
        now = datetime.now(timezone.utc)
        if not over:
            content = self._told[trouble.duty] = self._began(trouble, now)
        else:
            began = self._told.pop(trouble.duty, None) or self._began(trouble, now)
            content = replace(began, kind=ENDED, at=now, over=f"{trouble.duty}: well again")
        for post in self._posts:
            post.tell_directly(content)

    def _began(self, trouble: Trouble, now: datetime) -> Content:
        return Content(
            key=f"janitor-{now:%Y%m%d%H%M%S}-{trouble.duty.replace(' ', '-')}",
            kind=BEGAN,
            rule=FAILING if trouble.failures else NOTED,
            job="janitor",
            text=str(trouble),
            began_at=trouble.since,
            at=now,
            host=self._host,
        )
