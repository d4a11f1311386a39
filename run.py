"""The front door: a clock with one `add_job` for each job. `python run.py` starts it; `--help` tells the rest."""

import sys

from janitor import cli
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from janitor.tasks import labware_location, sequencing_publisher


def build(settings: Settings) -> Scheduler:
    """A clock with every job there is, not started; `<JOB>_ENABLED` and `<JOB>_SCHEDULE` change any of them.

    Raises:
        BadSetting: a schedule, or a switch, is malformed.
    """
    scheduler = Scheduler(settings)

    scheduler.add_job(
        labware_location.follow,
        "interval",
        minutes=5,
        args=[settings],
        id="labware_location",
        needs=labware_location.NEEDS,
    )
    scheduler.add_job(
        labware_location.reconcile,
        "cron",
        hour=1,
        args=[settings],
        id="labware_location_reconcile",
        timeout=6 * 3600,
        needs=labware_location.NEEDS,
    )

    publishing = settings.sequencing_run_changes_job_enabled or "SEQUENCING_RUN_CHANGES_JOB_ENABLED=false"
    scheduler.add_job(
        sequencing_publisher.follow,
        "interval",
        minutes=10,
        args=[settings],
        id="sequencing_publisher",
        enabled=publishing,
        needs=sequencing_publisher.NEEDS,
    )
    scheduler.add_job(
        sequencing_publisher.reconcile,
        "interval",
        hours=1,
        args=[settings],
        id="sequencing_publisher_reconcile",
        enabled=publishing,
        needs=sequencing_publisher.NEEDS,
    )

    return scheduler


def main() -> None:
    """The command line; `start` where no verb is given."""
    sys.exit(cli.main(build))


if __name__ == "__main__":
    main()
