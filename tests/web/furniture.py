"""A past for the house of jobs: runs, logs, quarantine, cursors, actions and notices, with all that a page shows."""

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert

from janitor.feeds import position_after
from janitor.state.deliveries import GIVEN_UP
from janitor.state.tables import actions, attempts, cursors, deliveries, jobs, notices, quarantine, run_logs, runs
from tests.web.house import NAMES

HOLDER = "lab-1|boot|pid|4711|1|abc"
TRACEBACK = """Traceback (most recent call last):
  File "janitor/publisher.py", line 118, in publish
    self._channel.basic_publish(exchange, "", body, properties, mandatory=True)
pika.exceptions.AMQPConnectionError: Connection refused

The above exception was the direct cause of the following exception:

janitor.errors.Unavailable: the broker at mq.lab.example:5671 refuses connections
"""


def many(job: str, until: datetime, count: int) -> Iterator[dict[str, Any]]:
    """A long past of a job: a run each minute; of 50 runs one failed."""
    dice = random.Random(job)
    for back in range(count, 0, -1):
        yield _row(dice, job, until - timedelta(minutes=back), back % 50 == 0, "")


def furnish(connection: Connection, now: datetime, says: str = "") -> None:
    """Give the house a day's past; `says` stands in every text."""
    for row in sorted(_rows(now, says), key=lambda row: str(row["started_at"])):
        made = connection.execute(insert(runs).values(row)).inserted_primary_key
        if row["attempts"] > 1:
            _more_of(connection, int(made[0]) if made else 0, row, says)
    _quarantine(connection, now, says)
    _cursors_and_actions(connection, now, says)
    _told(connection, now, says)
    _jobs(connection, now)


def _rows(now: datetime, says: str) -> list[dict[str, Any]]:
    """A day of runs; those of the first job stop for 40 minutes, in which no daemon ran."""
    dice = random.Random(7)
    slot = now.replace(second=0, microsecond=0) - timedelta(minutes=now.minute % 5)
    tens = slot - timedelta(minutes=slot.minute % 10)
    lost = _missed("labware_location", slot - timedelta(hours=9), says)
    follow = _past(dice, "labware_location", slot, 300, 0.02, says)
    return [
        *(row for row in follow if not lost["slot_at"] <= row["slot_at"] <= lost["slot_until_at"]),
        lost,
        *_past(dice, "nightly_reconcile", _last_at(now, 1), 86400, 0.1, says),
        *_past(dice, "expire_tokens", _last_at(now, 2), 86400, 0.0, says),
        *_past(dice, "sequencing_publisher", tens - timedelta(minutes=40), 600, 0.0, says),
        *(_failure("sequencing_publisher", tens - timedelta(minutes=minutes), says) for minutes in (30, 20, 10, 0)),
    ]


def _last_at(now: datetime, hour: int) -> datetime:
    at = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    return at if at < now - timedelta(hours=2) else at - timedelta(days=1)


def _past(
    dice: random.Random, job: str, last: datetime, every: float, chance: float, says: str
) -> Iterator[dict[str, Any]]:
    count = min(300, int(26 * 3600 / every) + 1) if every < 86400 else 20
    for back in range(count - 1, -1, -1):
        at = last - timedelta(seconds=every * back)
        yield _row(dice, job, at, dice.random() < chance and back > 5, says)


def _row(dice: random.Random, job: str, at: datetime, bad: bool, says: str) -> dict[str, Any]:
    """A run of a job. More is done in the middle of the day."""
    busy = 0.4 + 0.6 * max(0.0, 1 - abs(at.hour - 13) / 8)
    seconds = dice.lognormvariate(0, 0.5) * {"nightly_reconcile": 2400.0, "expire_tokens": 0.2}.get(job, 1.4) * busy
    counts = {
        "labware_location": {
            "checked": int(80 * busy * dice.random()),
            "inserted": int(9 * busy * dice.random()),
            "updated": int(60 * busy * dice.random()),
        },
        "nightly_reconcile": {"checked": 1_204_118, "repaired": dice.randrange(9)},
        "sequencing_publisher": {"published": int(90 * busy * dice.random()), "quarantined": 0},
    }.get(job, {"deleted": dice.randrange(40)})
    return _scheduled(job, at) | {
        "ended_at": at + timedelta(seconds=seconds),
        "seconds": seconds,
        "attempts": 1,
        "outcome": "failed" if bad else "succeeded",
        "counts": None if bad else json.dumps(counts),
        "reason": f"the statement on labwhere was cut off after 60 s {says}".strip() if bad else None,
        "traceback": TRACEBACK if bad else None,
    }


def _scheduled(job: str, at: datetime) -> dict[str, Any]:
    return {
        "job": job,
        "origin": "schedule",
        "slot_at": at,
        "slot_until_at": at,
        "slots": 1,
        "started_at": at,
        "dry_run": False,
        "holder": HOLDER,
    }


def _failure(job: str, at: datetime, says: str) -> dict[str, Any]:
    return _scheduled(job, at) | {
        "ended_at": at + timedelta(seconds=3.4),
        "seconds": 3.4,
        "attempts": 2,
        "outcome": "failed",
        "counts": None,
        "reason": f"the broker at mq.lab.example:5671 refuses connections; 12 messages wait {says}".strip(),
        "traceback": f"{TRACEBACK}{says}",
    }


def _missed(job: str, at: datetime, says: str) -> dict[str, Any]:
    until = at + timedelta(minutes=40)
    return _scheduled(job, at) | {
        "slots": 9,
        "slot_until_at": until,
        "ended_at": until,
        "seconds": 0.0,
        "attempts": 0,
        "outcome": "missed",
        "counts": None,
        "reason": f"no daemon was running for 40 minutes {says}".strip(),
        "traceback": None,
    }


def _more_of(connection: Connection, run_id: int, row: dict[str, Any], says: str) -> None:
    """The attempts and the log of a run that failed."""
    at, shared = row["started_at"], {name: row[name] for name in ("outcome", "reason", "traceback")}
    for number in (1, 2):
        began = at + timedelta(seconds=2 * (number - 1))
        times = {"started_at": began, "ended_at": began + timedelta(seconds=1.2)}
        connection.execute(insert(attempts).values(run_id=run_id, number=number, **times, **shared))
    for second, level, text in _said(says):
        line = {"at": at + timedelta(seconds=second), "level": level, "message": text}
        connection.execute(insert(run_logs).values(run_id=run_id, logger="janitor.publisher", **line))


def _said(says: str) -> Iterator[tuple[float, str, str]]:
    yield 0.02, "INFO", f"4 statuses are new since id 88102 {says}".strip()
    yield 0.31, "INFO", "12 messages wait to be published"
    yield 1.18, "WARNING", "attempt 1 of 2 failed, the next in 0.8 s: the broker refuses connections"
    yield 3.39, "ERROR", "failed after 3.400 s: the broker at mq.lab.example:5671 refuses connections"


def _quarantine(connection: Connection, now: datetime, says: str) -> None:
    waiting = (
        ("DN1038472A", "its location has no barcode", 30),
        ("DN1038473B", "its location has no barcode", 30),
        ("DN0991256K", f"its audit names the user 'jd47', who is not in users {says}".strip(), 4),
    )
    of_job = {"name": "labware_location", "item": "1", "run_id": 1}
    for key, reason, hours in waiting:
        row = {
            "key": f"{key} {says}".strip(),
            "reason": reason,
            "first_at": now - timedelta(hours=hours),
            "last_at": now - timedelta(seconds=90),
        }
        connection.execute(insert(quarantine).values(of_job | row))
    given_up = {
        "key": "DN0000001T",
        "reason": "it has no audit",
        "first_at": now - timedelta(days=9),
        "last_at": now,
        "dropped_at": now - timedelta(days=2),
        "dropped_by": "anna",
        "note": f"a test tube of 2019 {says}".strip(),
    }
    connection.execute(insert(quarantine).values(of_job | given_up))


def _cursors_and_actions(connection: Connection, now: datetime, says: str) -> None:
    for job, top in (("labware_location", "2483914"), ("sequencing_publisher", "88102")):
        row = {"position": position_after(top), "updated_at": now - timedelta(seconds=89), "run_id": 1}
        connection.execute(insert(cursors).values(name=job, **row))
    done = (("anna", "paused", "expire_tokens", ""), ("ben", "run", "labware_location", f"run 12 {says}".strip()))
    for hours, (actor, action, job, detail) in enumerate(done, 2):
        at = now - timedelta(hours=hours)
        connection.execute(insert(actions).values(at=at, actor=actor, action=action, job=job, detail=detail))


def _told(connection: Connection, now: datetime, says: str) -> None:
    failed = "4 runs in a row have failed: the broker at mq.lab.example:5671 refuses connections"
    missed = "9 slots were missed: no daemon was running"
    for rule, job, text, began, ended in (
        ("failed", "sequencing_publisher", failed, now - timedelta(minutes=38), None),
        ("missed", "labware_location", missed, now - timedelta(hours=9), now - timedelta(hours=8)),
    ):
        times = {"began_at": began, "told_at": began, "ended_at": ended}
        row = {"rule": rule, "job": job, "run_id": 1, "text": f"{text} {says}".strip(), **times}
        made = connection.execute(insert(notices).values(row)).inserted_primary_key
    late = {
        "notice_id": int(made[0]) if made else 0,
        "channel": "slack",
        "kind": "began",
        "content": "{}",
        "tries": 3,
        "added_at": now - timedelta(hours=9),
        "due_at": now,
        "outcome": GIVEN_UP,
        "ended_at": now,
        "reason": f"hooks.slack.example answered 503 Service Unavailable {says}".strip(),
    }
    connection.execute(insert(deliveries).values(late))


def _jobs(connection: Connection, now: datetime) -> None:
    for job in NAMES:
        paused = {"paused_at": now - timedelta(hours=2), "paused_by": "anna"} if job == "expire_tokens" else {}
        row = {"schedule": "x", "enabled": True, "enabled_at": now - timedelta(days=30)}
        connection.execute(insert(jobs).values(id=job, **row, **paused))
