"""The front door: the one list of jobs. `python run.py` starts the daemon; `python run.py --help` tells the rest."""

import sys

from janitor import cli
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from janitor.tasks import labware_location, sequencing_publisher

SETTINGS_OF_TASKS = (
    labware_location.LabwareLocationSettings,
    sequencing_publisher.SequencingPublisherSettings,
)


def build(settings: Settings) -> Scheduler:
    """Make the clock with all jobs, not started; `<JOB>_ENABLED` and `<JOB>_SCHEDULE` change each job.

    Raises:
        BadSetting: a schedule or a switch is malformed.
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

    publishing = sequencing_publisher.switch(settings)
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
    """The command line; without a verb, `start`."""
    sys.exit(cli.main(build, of_tasks=SETTINGS_OF_TASKS))


if __name__ == "__main__":
    main()
