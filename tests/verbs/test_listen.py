"""The verb `listen`: rows that are published, from a folder and from an exchange."""

import json
import signal
import time
from datetime import datetime, timezone

from janitor.publisher import Schema, open_publisher
from janitor.settings import Settings
from tests.command_line import CommandLine
from tests.fixtures import Exchange

PACKAGE, SCHEMA = "janitor.tasks.sequencing_publisher", "message_schemas/sample_sequence_status.avsc"


def test_listen_prints_rows_from_a_folder(janitor: CommandLine) -> None:
    publish(Settings.load({"MESSAGES_DIR": str(janitor.folder / "out")}, dotenv=None), "any")
    ended = janitor("listen", "--limit", "2", MESSAGES_DIR="out")
    assert ended.code == 0
    assert [found["row"]["id_run"] for found in map(json.loads, ended.lines)] == [1, 2]


def test_listen_prints_rows_from_an_exchange(janitor: CommandLine, exchange: Exchange) -> None:
    environment = {**exchange.broker.environment(), "SEQUENCING_PUBLISHER_EXCHANGE": exchange.name}
    settings = Settings.load(environment, dotenv=None)
    with janitor.started("listen", "--limit", "4", **environment) as process:
        while process.poll() is None:  # nobody tells when its queue is bound
            publish(settings, exchange.name)
            time.sleep(0.1)
        out, err = process.communicate()
    assert process.returncode == 0
    assert {json.loads(line)["row"]["sample_supplier_id"] for line in out.splitlines()} == {"NA12878"}


def test_listen_ends_quietly_on_ctrl_c(janitor: CommandLine) -> None:
    # Given: a folder with a row. What happens: once that row is printed, Ctrl-C. What must hold: a quiet end.
    publish(Settings.load({"MESSAGES_DIR": str(janitor.folder / "out")}, dotenv=None), "any")
    with janitor.started("listen", MESSAGES_DIR="out") as process:
        assert process.stdout is not None and "NA12878" in process.stdout.readline()
        ended = janitor.stopped(process, signal.SIGINT)
    assert (ended.code, ended.err) == (0, "")


def test_listen_says_that_the_exchange_is_missing(janitor: CommandLine, exchange: Exchange) -> None:
    environment = {**exchange.broker.environment(), "SEQUENCING_PUBLISHER_EXCHANGE": "nowhere"}
    ended = janitor("listen", **environment)
    assert ended.code == 1 and "exchange 'nowhere'" in ended.err and ended.err.count("\n") == 1


def publish(settings: Settings, exchange: str) -> None:
    """Publish two rows."""
    schema = Schema.load(PACKAGE, SCHEMA)
    kind = "sample_sequence_status"
    with open_publisher(
        settings, schema, exchange=exchange, subject=kind, message_type=kind, encoding="binary", unroutable="fail"
    ) as publisher:
        publisher.publish([row(1), row(2)])


def row(id_run: int) -> dict[str, object]:
    return {
        "change_date": datetime(2026, 7, 1, 12, tzinfo=timezone.utc),
        "id_run": id_run,
        "sequencing_study": "Cichlids",
        "sample_supplier_id": "NA12878",
        "labware_barcode": "DN1",
        "run_status": 20,
    }
