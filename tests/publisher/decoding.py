"""Messages of an exchange, decoded; and the first of the statuses as a listener gives it."""

from typing import Any

from tests.fixtures import Exchange
from tests.messages import SCHEMA

FIRST_ROW = {
    "change_date": "2026-07-01T12:00:00+00:00",
    "id_run": 48123,
    "sequencing_study": "Heron",
    "sample_supplier_id": "Ünit 0",
    "labware_barcode": "SQPD-0000",
    "run_status": 20,
    "irods_root_collection": "/seq/48123",
    "irods_data_relative_path": "a.cram;b.cram",
    "irods_secondary_data_relative_path": None,
}


def decoded(exchange: Exchange) -> list[dict[str, Any]]:
    """The records of all messages that reached the exchange's queue, in their order."""
    return [SCHEMA.decode(message.body) for message in exchange.received()]
