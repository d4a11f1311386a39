"""A house of small jobs, to try the command line on: `python -m tests.small_house VERB`."""

import os
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

from janitor import cli, memory
from janitor.errors import Cancelled, Skip
from janitor.feeds import position_after
from janitor.items import Item, Step
from janitor.runs import current_run
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from janitor.state.quarantine import Quarantined


def count() -> dict[str, int]:
    """Return counts, and remember a cursor and two rows in quarantine."""
    memory.save_cursor("count", position_after("41"))
    memory.Quarantine("count").settle((), [Quarantined("DN1", "no location", "1"), Quarantined("DN2", "no user", "2")])
    return {"checked": 7, "inserted": 5}


def fail(settings: Settings) -> None:
    """Fail, with a password in the error's text."""
    url = settings.database("LABWHERE_DATABASE_URL")
    raise ValueError(f"cannot use {url.render_as_string(hide_password=False) if url else 'it'}\nat all")


def decline() -> None:
    """Find nothing to do."""
    raise Skip("there is nothing new")


def overrun() -> None:
    """Run until the timeout."""
    while True:
        current_run().sleep(0.05)


def walk() -> None:
    """Run for long and tell the progress, until asked to stop."""
    for done in range(600):
        current_run().progress(done, 600, note="walking")
        time.sleep(0.05)


def stick() -> None:
    """Run for long, even if asked to stop; that it was asked is a file called `asked`."""
    run = current_run()
    run.progress(1, 2)
    try:
        run.sleep(30)
    except Cancelled:
        Path("asked").touch()
        time.sleep(30)


def weigh(item: Item) -> str | None:
    """Weigh a parcel; one that is `lost` fails."""
    item.result = {"grams": len(item.key)}
    return "failed" if item.args.get("lost") else None


def build(settings: Settings) -> Scheduler:
    """Make the jobs, named like their functions; with SMALL_HOUSE_BREAKS it raises an error."""
    if "SMALL_HOUSE_BREAKS" in os.environ:
        fail(settings)
    scheduler = Scheduler(settings)
    scheduler.add_job(count, "interval", hours=1)
    scheduler.add_job(fail, "cron", hour=3, args=[settings])
    scheduler.add_job(decline, "cron", hour=3)
    scheduler.add_job(overrun, "cron", hour=3, timeout=0.3)
    scheduler.add_job(walk, "cron", hour=3, enabled="it is switched off here")
    scheduler.add_job(stick, "cron", hour=3)
    scheduler.add_job(print, "date", run_date=datetime(2020, 1, 1, tzinfo=timezone.utc), id="over")
    if "SMALL_HOUSE_PARCELS" in os.environ:
        scheduler.add_pipeline("parcels", [Step("weigh", weigh), Step("send", weigh, needs=["weigh"])])
    return scheduler


if __name__ == "__main__":
    sys.exit(cli.main(build))
