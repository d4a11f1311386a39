"""A house of jobs to look at in a browser: `python -m tests.web.house` is its daemon; `furnish` gives it a past."""

import json
import logging
import os
import random
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert

from janitor import cli, memory
from janitor.feeds import position_after
from janitor.runs import current_run
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from janitor.state.deliveries import GIVEN_UP
from janitor.state.tables import actions, attempts, cursors, deliveries, jobs, notices, quarantine, run_logs, runs

log = logging.getLogger("tests.house")

HOLDER = "lab-1|boot|pid|4711|1|abc"
NAMES = ("labware_location", "sequencing_publisher", "nightly_reconcile", "expire_tokens")
HOSTILE = "<script>window.broken = true</script>"
TRACEBACK = """Traceback (most recent call last):
  File "janitor/publisher.py", line 118, in publish
    self._channel.basic_publish(exchange, "", body, properties, mandatory=True)
pika.exceptions.AMQPConnectionError: Connection refused

The above exception was the direct cause of the following exception:

janitor.errors.Unavailable: the broker at mq.lab.example:5671 refuses connections
"""


def labware_location() -> dict[str, int]:
    """Keep MLWH's table of where each labware stands in step with LabWhere.

    Follows the feed of audits: each run reads what is new past its cursor, derives the rows of the labwares touched,
    and writes those that differ.
    """
    memory.save_cursor("labware_location", position_after("2483917"))
    log.info("3 labwares were touched by 2 audits")
    return {"checked": 3, "inserted": 1, "updated": 2, "quarantined": 3}


def sequencing_publisher() -> None:
    """Publish one message for each new status of a sequencing run."""
    log.info("12 messages wait to be published")
    log.warning("the broker does not answer, it is tried again in 0.2 s")
    raise ConnectionError(f"the broker at mq.lab.example:5671 refuses connections {os.environ.get('HOUSE_SAYS', '')}")


def nightly_reconcile() -> dict[str, int]:
    """Compare every labware with its row, page by page, and repair what differs."""
    run = current_run()
    pages = 12 if run.dry_run and "HOUSE_PAGES" not in os.environ else int(os.environ.get("HOUSE_PAGES", "400"))
    for page in range(pages):
        run.progress(page, pages, note=f"page {page + 1} of {pages}")
        run.progress(page * 250, pages * 250, "labwares", note="comparing")
        run.progress(min(page * 40, 1600), 1600, "labwares", "plates")
        run.progress(page * 3, None, "labwares", "tubes")
        log.log(logging.WARNING if page % 9 == 8 else logging.INFO, "page %d: 250 rows compared", page + 1)
        time.sleep(0.1)
    return {"checked": pages * 250, "repaired": 4, "orphaned": 1}


def expire_tokens() -> dict[str, int]:
    """Delete login tokens that expired more than a day ago."""
    return {"deleted": 17}


def archive_plates() -> None:
    """Move the plates of finished studies to the archive."""


def add_jobs(scheduler: Scheduler) -> None:
    """Put the jobs on a clock."""
    scheduler.add_job(labware_location, "interval", minutes=5)
    scheduler.add_job(sequencing_publisher, "interval", minutes=10)
    scheduler.add_job(nightly_reconcile, "cron", hour=1, timeout=6 * 3600, catch_up="none")
    scheduler.add_job(expire_tokens, "cron", hour=2, catch_up="none")
    scheduler.add_job(archive_plates, "cron", day_of_week="sun", hour=4, enabled="until the archive has room again")


def build(settings: Settings) -> Scheduler:
    """The clock with its jobs."""
    scheduler = Scheduler(settings)
    add_jobs(scheduler)
    return scheduler


def many(job: str, until: datetime, count: int) -> Iterator[dict[str, Any]]:
    """A long past of a job: a run each minute, one in 50 of which failed."""
    dice = random.Random(job)
    for back in range(count, 0, -1):
        yield _row(dice, job, until - timedelta(minutes=back), back % 50 == 0, "")


def furnish(connection: Connection, now: datetime, says: str = "") -> None:
    """Give the house a day's past, with everything in it that a page shows; `says` is in every text."""
    dice = random.Random(7)
    slot = now.replace(second=0, microsecond=0) - timedelta(minutes=now.minute % 5)
    rows = [*_past(dice, "labware_location", slot, 300, 0.02, says)]
    rows += _past(dice, "nightly_reconcile", _last_at(now, 1), 86400, 0.1, says)
    rows += _past(dice, "expire_tokens", _last_at(now, 2), 86400, 0.0, says)
    tens = slot - timedelta(minutes=slot.minute % 10)
    rows += _past(dice, "sequencing_publisher", tens - timedelta(minutes=40), 600, 0.0, says)
    rows += [_failure("sequencing_publisher", tens - timedelta(minutes=minutes), says) for minutes in (30, 20, 10, 0)]
    rows.append(_missed("labware_location", slot - timedelta(hours=9), says))
    lost = rows[-1]
    rows = [row for row in rows if row is lost or row["job"] != lost["job"] or not _within(row["slot_at"], lost)]
    for row in sorted(rows, key=lambda row: str(row["started_at"])):
        made = connection.execute(insert(runs).values(row)).inserted_primary_key
        if row["attempts"] > 1:
            _more_of(connection, int(made[0]) if made else 0, row, says)
    _around(connection, now, says)


def _within(at: datetime, lost: dict[str, Any]) -> bool:
    return bool(lost["slot_at"] <= at <= lost["slot_until_at"])


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
    busy = 0.4 + 0.6 * max(0.0, 1 - abs(at.hour - 13) / 8)
    seconds = dice.lognormvariate(0, 0.5) * {"nightly_reconcile": 2400.0, "expire_tokens": 0.2}.get(job, 1.4) * busy
    counts = {
        "labware_location": {"checked": int(80 * busy * dice.random()), "inserted": int(9 * busy * dice.random())}
        | {"updated": int(60 * busy * dice.random())},
        "nightly_reconcile": {"checked": 1_204_118, "repaired": dice.randrange(9)},
        "sequencing_publisher": {"published": int(90 * busy * dice.random()), "quarantined": 0},
    }.get(job, {"deleted": dice.randrange(40)})
    row: dict[str, Any] = {
        "job": job,
        "origin": "schedule",
        "slot_at": at,
        "slot_until_at": at,
        "slots": 1,
        "started_at": at,
    }
    row |= {"ended_at": at + timedelta(seconds=seconds), "seconds": seconds, "attempts": 1, "dry_run": False}
    row |= {"outcome": "failed" if bad else "succeeded", "counts": None if bad else json.dumps(counts)}
    reason = f"the statement on labwhere was cut off after 60 s {says}".strip()
    return row | {"holder": HOLDER, "reason": reason if bad else None, "traceback": TRACEBACK if bad else None}


def _failure(job: str, at: datetime, says: str) -> dict[str, Any]:
    reason = f"the broker at mq.lab.example:5671 refuses connections; 12 messages wait {says}".strip()
    row: dict[str, Any] = {
        "job": job,
        "origin": "schedule",
        "slot_at": at,
        "slot_until_at": at,
        "slots": 1,
        "started_at": at,
    }
    row |= {"ended_at": at + timedelta(seconds=3.4), "seconds": 3.4, "attempts": 2, "dry_run": False, "counts": None}
    return row | {"outcome": "failed", "reason": reason, "traceback": f"{TRACEBACK}{says}", "holder": HOLDER}


def _more_of(connection: Connection, run_id: int, row: dict[str, Any], says: str) -> None:
    """The attempts and the log of a run that failed."""
    at = row["started_at"]
    for number in (1, 2):
        began = at + timedelta(seconds=2 * (number - 1))
        one = {"run_id": run_id, "number": number, "started_at": began, "ended_at": began + timedelta(seconds=1.2)}
        one |= {"outcome": "failed", "reason": row["reason"], "traceback": row["traceback"]}
        connection.execute(insert(attempts).values(one))
    for second, level, text in _said(says):
        line = {"run_id": run_id, "at": at + timedelta(seconds=second), "level": level, "logger": "janitor.publisher"}
        connection.execute(insert(run_logs).values(line | {"message": text}))


def _said(says: str) -> Iterator[tuple[float, str, str]]:
    yield 0.02, "INFO", f"4 statuses are new since id 88102 {says}".strip()
    yield 0.31, "INFO", "12 messages wait to be published"
    yield 1.18, "WARNING", "attempt 1 of 2 failed, the next in 0.8 s: the broker refuses connections"
    yield 3.39, "ERROR", "failed after 3.400 s: the broker at mq.lab.example:5671 refuses connections"


def _missed(job: str, at: datetime, says: str) -> dict[str, Any]:
    row: dict[str, Any] = {"job": job, "origin": "schedule", "slot_at": at, "slots": 9, "started_at": at}
    row |= {"slot_until_at": at + timedelta(minutes=40), "ended_at": at + timedelta(minutes=40), "seconds": 0.0}
    row |= {"attempts": 0, "dry_run": False, "outcome": "missed", "holder": HOLDER, "counts": None, "traceback": None}
    return row | {"reason": f"no daemon was running for 40 minutes {says}".strip()}


def _around(connection: Connection, now: datetime, says: str) -> None:
    """What is not runs: quarantine, cursors, actions, notices."""
    waiting = (
        ("DN1038472A", "its location has no barcode", 30),
        ("DN1038473B", "its location has no barcode", 30),
        ("DN0991256K", f"its audit names the user 'jd47', who is not in users {says}".strip(), 4),
    )
    rows = [
        {"name": "labware_location", "key": key if not says else f"{key} {says}", "item": "1", "reason": reason}
        | {"first_at": now - timedelta(hours=hours), "last_at": now - timedelta(seconds=90), "run_id": 1}
        for key, reason, hours in waiting
    ]
    connection.execute(insert(quarantine), rows)
    given_up = {"name": "labware_location", "key": "DN0000001T", "item": "1", "reason": "it has no audit", "run_id": 1}
    given_up |= {"first_at": now - timedelta(days=9), "last_at": now, "dropped_at": now - timedelta(days=2)}
    given_up |= {"dropped_by": "anna", "note": f"a test tube of 2019 {says}".strip()}
    connection.execute(insert(quarantine).values(given_up))
    for job, top in (("labware_location", "2483914"), ("sequencing_publisher", "88102")):
        moved_at = now - timedelta(seconds=89)
        connection.execute(
            insert(cursors).values(name=job, position=position_after(top), updated_at=moved_at, run_id=1)
        )
    done = (("anna", "paused", "expire_tokens", ""), ("ben", "run", "labware_location", f"run 12 {says}".strip()))
    for hours, (actor, action, job, detail) in enumerate(done, 2):
        at = now - timedelta(hours=hours)
        connection.execute(insert(actions).values(at=at, actor=actor, action=action, job=job, detail=detail))
    _told(connection, now, says)
    enabled_at = now - timedelta(days=30)
    for job in NAMES:
        paused = {"paused_at": now - timedelta(hours=2), "paused_by": "anna"} if job == "expire_tokens" else {}
        connection.execute(insert(jobs).values(id=job, schedule="x", enabled=True, enabled_at=enabled_at, **paused))


def _told(connection: Connection, now: datetime, says: str) -> None:
    for rule, job, began, ended in (
        ("failed", "sequencing_publisher", now - timedelta(minutes=38), None),
        ("missed", "labware_location", now - timedelta(hours=9), now - timedelta(hours=8)),
    ):
        text = {"failed": "4 runs in a row have failed: the broker at mq.lab.example:5671 refuses connections"}
        values = {"rule": rule, "job": job, "run_id": 1, "began_at": began, "told_at": began, "ended_at": ended}
        values["text"] = f"{text.get(rule, '9 slots were missed: no daemon was running')} {says}".strip()
        made = connection.execute(insert(notices).values(values)).inserted_primary_key
    late = {"notice_id": int(made[0]) if made else 0, "channel": "slack", "kind": "began", "content": "{}", "tries": 3}
    late |= {"added_at": now - timedelta(hours=9), "due_at": now, "outcome": GIVEN_UP, "ended_at": now}
    late["reason"] = f"hooks.slack.example answered 503 Service Unavailable {says}".strip()
    connection.execute(insert(deliveries).values(late))


if __name__ == "__main__":
    sys.exit(cli.main(build))
