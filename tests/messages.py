"""Records, settings and an opened publisher for the tests of messages."""

from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from janitor.publisher import Publisher, Schema, open_publisher
from janitor.settings import Settings
from tests.servers import Broker

SCHEMA = Schema.load("janitor.tasks.sequencing_publisher", "message_schemas/sample_sequence_status.avsc")


def statuses(count: int, id_run: int = 48123) -> list[dict[str, Any]]:
    """Make records of one run, each different."""
    began = datetime(2026, 7, 1, 12, tzinfo=UTC)
    return [
        {
            "change_date": began + timedelta(minutes=number),
            "id_run": id_run,
            "sequencing_study": "Heron",
            "sample_supplier_id": f"Ünit {number}",
            "labware_barcode": f"SQPD-{number:04}",
            "run_status": 20,
            "irods_root_collection": None if number % 3 else f"/seq/{id_run}",
            "irods_data_relative_path": None if number % 3 else "a.cram;b.cram",
            "irods_secondary_data_relative_path": None,
        }
        for number in range(count)
    ]


def settings_for(broker: Broker, **changes: str) -> Settings:
    """Return the settings with which Janitor reaches `broker`, with `changes`."""
    return Settings.load(broker.environment() | {"CONNECT_TIMEOUT_SECONDS": "5"} | changes, None)


def publisher_to(
    settings: Settings,
    exchange: str,
    *,
    encoding: Literal["binary", "json"] = "binary",
    unroutable: Literal["fail", "drop"] = "fail",
) -> AbstractContextManager[Publisher]:
    """Open a publisher of statuses."""
    return open_publisher(
        settings,
        SCHEMA,
        exchange=exchange,
        subject="sample-sequence-status",
        message_type="sample_sequence_status",
        encoding=encoding,
        unroutable=unroutable,
    )
