"""The example of messages: from a table to files and to a real RabbitMQ, each row once."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from examples.messages import depot, tasks
from tests.command_line import ROOT, CommandLine, wait_for
from tests.fixtures import Exchange
from tests.recorded_runs import Daemon
from tests.servers import Broker

JOBS = str(ROOT / "examples" / "messages" / "jobs.yaml")
MESSAGES = "messages"


def execute(path: Path, statement: str) -> list[Any]:
    """What a statement gives; it is committed."""
    with closing(sqlite3.connect(path, timeout=30)) as db, db:
        return db.execute(statement).fetchall()


def scans(path: Path) -> list[tuple[int, str, str]]:
    """The scans that can be published."""
    return execute(path, "SELECT id, parcel, place FROM scans WHERE place IS NOT NULL ORDER BY id")


def published(folder: Path) -> list[tuple[int, str, str]]:
    """The records in the files of a folder, in the order of their scans; a record that is there twice comes twice."""
    records = []
    for path in folder.glob("*.avro"):
        with path.open("rb") as file:
            records += tasks.schema().read_container(file)[1]
    return sorted((record["scan_id"], record["parcel"], record["place"]) for record in records)


class House:
    """A depot with 600 scans, and runs of the task on it; messages go to a folder unless there is an exchange."""

    def __init__(self, folder: Path, exchange: Exchange | None = None) -> None:
        self.depot, self.messages = folder / "depot.db", folder / MESSAGES
        self.url, self.exchange = f"sqlite:///{self.depot}", exchange.name if exchange else "none"
        self.daemon = Daemon(
            exchange.broker.environment() if exchange else {"MESSAGES_DIR": str(self.messages)}, folder
        )
        self.scan(150)

    def scan(self, parcels: int) -> None:
        """Scan some parcels, at four places each."""
        self.daemon.counts(lambda settings: depot.scan(self.url, parcels))

    def publish(self, dry_run: bool = False) -> dict[str, int]:
        """Run the task once; its counts."""
        task = self.daemon.counts(lambda settings: tasks.publish(settings, self.url, self.exchange), dry_run=dry_run)
        return dict(task)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.daemon.close()


def counts(published: int, already_published: int = 0, quarantined: int = 1) -> dict[str, int]:
    """The counts of a run."""
    return {"published": published, "already_published": already_published, "quarantined": quarantined}


def test_the_command_of_the_readme_publishes_every_scan(tmp_path: Path) -> None:
    janitor = CommandLine(tmp_path, environment={"JOBS_FILE": JOBS, "MESSAGES_DIR": f"var/{MESSAGES}"})
    ended = janitor("run", "parcel_messages", "--with-dependencies")
    assert ended.code == 0 and "published=199 already_published=0 quarantined=1" in ended.out, ended.out + ended.err
    assert published(tmp_path / "var" / MESSAGES) == scans(tmp_path / "var" / "depot.db")
    (waiting,) = janitor("quarantine").rows
    assert (waiting["key"], waiting["reason"]) == ("scan 1", "place is missing")
    assert janitor("run", "parcel_messages").out.startswith("parcel_messages succeeded")
    assert len(published(tmp_path / "var" / MESSAGES)) == 199


@pytest.mark.slow
def test_a_killed_run_loses_no_scan_and_repeats_none(tmp_path: Path) -> None:
    # Given 16,000 scans and a run that is killed after some groups; run again, all scans are there, each once.
    janitor = CommandLine(tmp_path, environment={"JOBS_FILE": JOBS, "MESSAGES_DIR": MESSAGES})
    database = tmp_path / "var" / "depot.db"
    assert janitor("run", "depot").code == 0
    depot.scan(f"sqlite:///{database}", 4_000)
    with janitor.started("run", "parcel_messages") as process:
        wait_for(lambda: len(list((tmp_path / MESSAGES).glob("*.avro"))) > 3)
        process.kill()
        process.communicate()
    assert 300 < len(published(tmp_path / MESSAGES)) < len(scans(database))
    assert janitor("run", "parcel_messages").code == 0
    assert published(tmp_path / MESSAGES) == scans(database)


def test_each_run_publishes_only_what_is_new(house: House) -> None:
    assert [house.publish(), house.publish()] == [counts(599), counts(0)]
    house.scan(10)
    assert house.publish() == counts(39, quarantined=2)
    assert published(house.messages) == scans(house.depot)


def test_a_dry_run_publishes_and_remembers_nothing(house: House) -> None:
    assert [house.publish(dry_run=True), house.publish(dry_run=True)] == [counts(599, quarantined=0)] * 2
    assert not house.messages.exists()
    assert house.publish() == counts(599)


def test_a_scan_that_gets_its_place_is_published(house: House) -> None:
    house.publish()
    execute(house.depot, "UPDATE scans SET place = 'Dock' WHERE id = 1")
    assert house.publish() == counts(1, quarantined=0)
    assert published(house.messages) == scans(house.depot)


@pytest.mark.slow
def test_a_cursor_set_back_publishes_nothing_again(tmp_path: Path) -> None:
    janitor = CommandLine(tmp_path, environment={"JOBS_FILE": JOBS, "MESSAGES_DIR": MESSAGES})
    assert janitor("run", "parcel_messages", "--with-dependencies").code == 0
    assert janitor("cursor", "parcel_messages", "--set", "start").code == 0
    again = janitor("run", "parcel_messages")
    assert "published=0 already_published=199 quarantined=1" in again.out, again.out
    assert published(tmp_path / MESSAGES) == scans(tmp_path / "var" / "depot.db")


def test_rabbitmq_gets_each_scan_once(tmp_path: Path, exchange: Exchange) -> None:
    house = House(tmp_path, exchange)
    assert [house.publish(), house.publish()] == [counts(599), counts(0)]
    received = exchange.received()
    records = [tasks.schema().decode(message.body) for message in received]
    assert [(record["scan_id"], record["parcel"], record["place"]) for record in records] == scans(house.depot)
    assert len({message.properties.message_id for message in received}) == 599
    assert {(message.properties.type, message.properties.content_type) for message in received} == {
        ("parcel_scanned", "avro/binary")
    }
    house.daemon.close()


def test_what_no_queue_took_comes_again(tmp_path: Path, exchange: Exchange) -> None:
    # Given an exchange without a queue; the run fails; once there is a queue, the next run publishes everything.
    house = House(tmp_path, exchange)
    exchange.unbind()
    failed = house.daemon.run(lambda settings: tasks.publish(settings, house.url, house.exchange))
    assert failed.outcome.value == "failed" and "no queue is bound" in str(failed.reason)
    exchange.bind()
    assert house.publish() == counts(599)
    records = [tasks.schema().decode(message.body) for message in exchange.received()]
    assert [record["scan_id"] for record in records] == [id for id, _, _ in scans(house.depot)]
    house.daemon.close()


def test_the_jobs_file_publishes_to_rabbitmq(tmp_path: Path, exchange: Exchange, rabbitmq: Broker) -> None:
    settings = {"JOBS_FILE": JOBS, "PARCEL_EXCHANGE": exchange.name, **rabbitmq.environment()}
    ended = CommandLine(tmp_path, environment=settings)("run", "parcel_messages", "--with-dependencies")
    assert ended.code == 0 and "published=199" in ended.out, ended.out + ended.err
    assert exchange.waiting() == 199
