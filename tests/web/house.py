"""A house of jobs to look at in a browser: `python -m tests.web.house` is its daemon."""

import logging
import os
import sys
import time

from janitor import cli, memory
from janitor.feeds import position_after
from janitor.runs import current_run
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from tests.web import parcels

log = logging.getLogger("tests.house")

NAMES = ("labware_location", "sequencing_publisher", "nightly_reconcile", "expire_tokens")
HOSTILE = "<script>window.broken = true</script>"


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
    """The clock with its jobs, and a pipeline whose steps are off."""
    scheduler = Scheduler(settings)
    add_jobs(scheduler)
    parcels.add_jobs(scheduler)
    return scheduler


if __name__ == "__main__":
    sys.exit(cli.main(build))
