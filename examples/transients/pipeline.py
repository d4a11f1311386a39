"""The pipeline of transients, and the jobs beside it."""

import os
from pathlib import Path

from examples.transients import jobs, steps, usage
from janitor.items import Step
from janitor.scheduler import Scheduler
from janitor.settings import Settings

FOLDER = Path(os.environ.get("TRANSIENTS_DIR", "var/transients"))
INGEST = os.environ.get("TRANSIENTS_EVERY", "every 5s")


def build(settings: Settings) -> Scheduler:
    """Make the clock with the pipeline and its jobs, not started."""
    usage.keep_in(FOLDER)
    scheduler = Scheduler(settings)
    scheduler.add_job(jobs.ingest, INGEST)
    scheduler.add_job(usage.roll, "every 1m", id="roll_usage")
    scheduler.add_job(jobs.render, "every 5m", args=[FOLDER], id="render_page")
    scheduler.add_pipeline(
        jobs.NAME,
        title="Transients",
        steps=[
            Step("cutout", steps.cutout, retries=3, workers=4),
            Step("quality", steps.quality, needs=["cutout"]),
            Step("host_match", steps.host_match, needs={"cutout": "processed"}, failed="no host", workers=4),
            Step("redshift", steps.redshift, needs=["host_match"], workers=8, timeout=30),
            Step("photometry", steps.photometry, needs=["host_match"], isolation="process"),
            Step(
                "light_curve",
                steps.light_curve,
                needs={"photometry": "processed", "quality": "processed"},
                failed="no curve",
            ),
            Step("classify", steps.classify, needs=["light_curve", "redshift"], schedule="every 5s"),
            Step("report", steps.report, needs=["classify"], enabled=False),
        ],
        statuses={"no host match": "error", "few filters": "warning"},
    )
    return scheduler
