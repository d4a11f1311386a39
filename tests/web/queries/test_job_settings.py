"""The settings in force for a job: its own, its family's, and no secret."""

from pathlib import Path

from sqlalchemy import URL

from janitor.needs import DatabaseNeed, ExchangeNeed, ServiceNeed
from janitor.scheduler import Scheduler
from janitor.web.queries import job_settings
from tests.small_engine import settings_for
from tests.web.queries.past import sweep


def test_settings_in_force_hold_no_secret(tmp_path: Path) -> None:
    variables = {
        "MLWH_DATABASE_URL": "mysql+pymysql://anna:s3cret-word@db:3307/mlwh",
        "RABBITMQ_HOST": "mq",
        "RABBITMQ_PASSWORD": "s3cr",
        "LABWARE_LOCATION_DELETE_ORPHANS": "true",
    }
    settings = settings_for(URL.create("sqlite", database=str(tmp_path / "x.db")), tmp_path, **variables)
    scheduler = Scheduler(settings)
    needs = (DatabaseNeed("MLWH_DATABASE_URL"), ExchangeNeed("SEQUENCING_PUBLISHER_EXCHANGE"))
    for id in ("labware_location", "labware_location_reconcile"):
        scheduler.add_job(sweep, "interval", hours=1, args=[settings], id=id, needs=needs)
    lines = job_settings.in_force(scheduler.jobs["labware_location_reconcile"], scheduler.jobs, settings)
    shown = {line.name: (line.value, line.given) for line in lines}
    assert shown["MLWH_DATABASE_URL"] == ("db:3307/mlwh", True)
    assert shown["RABBITMQ_PASSWORD"] == ("***", True) and shown["RABBITMQ_PORT"] == ("5672", False)
    assert shown["LABWARE_LOCATION_DELETE_ORPHANS"] == ("true", True)
    assert shown["LABWARE_LOCATION_RECONCILE_SCHEDULE"] == ("every 1h", False)
    assert "SEQUENCING_PUBLISHER_SINCE" not in shown
    assert "s3cr" not in str(lines)


def test_settings_of_any_other_need_are_in_force(tmp_path: Path) -> None:
    settings = settings_for(URL.create("sqlite", database=str(tmp_path / "x.db")), tmp_path, RABBITMQ_HOST="mq")
    scheduler = Scheduler(settings)
    need = ServiceNeed("a queue", lambda settings: [], ("RABBITMQ_HOST", "NOBODY_KNOWS_THIS"))
    scheduler.add_job(sweep, "interval", hours=1, args=[settings], id="queue", needs=(need,))
    lines = job_settings.in_force(scheduler.jobs["queue"], scheduler.jobs, settings)
    assert [(line.name, line.value) for line in lines][2:] == [("RABBITMQ_HOST", "mq")]
