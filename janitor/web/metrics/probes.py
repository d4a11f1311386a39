"""What probes are told: does the clock tick, is the daemon ready. The door tells it before any server is loaded."""

from typing import Any

from janitor.engine.heartbeat import DEAD_SECONDS
from janitor.web.desk import Desk
from janitor.web.metrics.vitals import WAIT_SECONDS, Vitals

Told = tuple[int, dict[str, Any]]
"""A status of HTTP, and what the answer says."""


def live(desk: Desk) -> Told:
    """200 if the clock has ticked in the last 30 s, else 503. The answer waits for no server and no other request."""
    silent = desk.daemon.heartbeat.silent_seconds()
    alive = silent is not None and silent <= DEAD_SECONDS
    status = "alive" if alive else "the clock does not tick"
    return (200 if alive else 503), {
        "status": status,
        "silent_seconds": None if silent is None else round(silent, 3),
    }


def ready(desk: Desk, vitals: Vitals) -> Told:
    """200 if the state database answers within 2 s, is this release's and takes writes, and nothing hinders the daemon.

    A daemon that stands by is ready too, unless something keeps it from coming to lead.
    """
    vitals.writing.get(0)
    unread = vitals.schema.get(WAIT_SECONDS).failure
    unwritten = vitals.writing.get(WAIT_SECONDS).failure if unread is None else None
    failing = [trouble.duty for trouble in desk.troubles]
    # The reasons may name hosts and users. They are in the log: anybody may ask this, without signing in.
    if unread is not None:
        status = "the state database does not answer, or is another release's"
    elif unwritten is not None:
        status = "the state database takes no writes"
    else:
        status = f"these fail again and again: {', '.join(failing)}" if failing else "ready"
    role = "leading" if desk.daemon.leading else "standing by"
    return (200 if status == "ready" else 503), {"status": status, "role": role}
