"""Publishing rows: binary, confirmed and mandatory."""

import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from pika.connection import Parameters

from benchmarks import pika_bare
from benchmarks.house import House
from benchmarks.measures import Line, Rival, seconds_of
from janitor.publisher import Schema, open_publisher
from janitor.settings import Settings
from janitor.tasks.sequencing_publisher import SequencingPublisherSettings
from tests.fixtures import Exchange

ROWS, REPEATS, WINDOW, BLOCKING_ROWS, LOOSE_ROWS = 100_000, 6, 100, 2_000, 20_000
WINDOWS = (WINDOW, 1_000)
AT = datetime(2026, 7, 1, 12, tzinfo=UTC)


def measure(house: House, rivals: bool) -> list[Line]:
    """Measure rows a second from records to confirms, with the connection; medians of six, in turns with rivals.

    The share of bare pika is the median over pairs: one run of either, one right after the other.
    """
    rows = min(ROWS, house.labwares * 10)
    schema = Schema.load("janitor.tasks.sequencing_publisher", "message_schemas/sample_sequence_status.avsc")
    records = [record(number) for number in range(rows)]
    bodies = [schema.encode(each) for each in records]
    settings = Settings.load(house.environment(), dotenv=None)
    parameters, name = house.servers.broker.parameters, house.exchange.name
    ways: dict[str, Callable[[], float]] = {"janitor": lambda: seconds_of(lambda: publish(settings, schema, records))}
    if rivals:
        ways |= _windowed(parameters, name, bodies)
    taken = _in_turns(ways, house.exchange, rows)
    rates = {way: rows / statistics.median(seconds) for way, seconds in taken.items()}
    if rivals:
        rates |= _slow_or_loose(house, bodies)
    return _lines(rows, rates, taken)


def record(number: int) -> dict[str, object]:
    """Make a row of a status change, of the usual length."""
    id_run, tag = 48_000 + number // 96, number % 96 + 1
    return {
        "change_date": AT + timedelta(seconds=number // 96),
        "id_run": id_run,
        "sequencing_study": f"Study {number % 101} of cell line 37",
        "sample_supplier_id": f"supplier sample {number}",
        "labware_barcode": f"SQPD-{number // 48}",
        "run_status": number % 13 + 1,
        "irods_root_collection": f"/seq/illumina/runs/48/{id_run}",
        "irods_data_relative_path": f"lane1/plex{tag}/{id_run}_1#{tag}.cram",
        "irods_secondary_data_relative_path": None,
    }


def publish(settings: Settings, schema: Schema, records: Sequence[dict[str, object]]) -> None:
    """Publish records as the task does: each confirmed, with a window of so many under way."""
    with open_publisher(
        settings,
        schema,
        exchange=settings.of(SequencingPublisherSettings).sequencing_publisher_exchange,
        subject="sample_sequence_status",
        message_type="sample_sequence_status",
        encoding="binary",
        unroutable="fail",
    ) as publisher:
        settled = list(publisher.publish_each(records, window=WINDOW))
    if sum(len(each.published) for each in settled) != len(records):
        raise AssertionError("the broker refused some of the messages")


def _windowed(parameters: Parameters, name: str, bodies: Sequence[bytes]) -> dict[str, Callable[[], float]]:
    def of(window: int) -> Callable[[], float]:
        return lambda: pika_bare.windowed(parameters, name, bodies, window)

    return {f"window {window:,}": of(window) for window in WINDOWS}


def _slow_or_loose(house: House, bodies: Sequence[bytes]) -> dict[str, float]:
    parameters, name = house.servers.broker.parameters, house.exchange.name
    few, some = bodies[:BLOCKING_ROWS], bodies[:LOOSE_ROWS]
    ways = {
        "blocking": (few, lambda: pika_bare.blocking(parameters, name, few)),
        "pika without confirms": (some, lambda: pika_bare.unconfirmed(parameters, name, some)),
    }
    return {
        way: len(sent) / statistics.median(_in_turns({way: publishing}, house.exchange, len(sent))[way])
        for way, (sent, publishing) in ways.items()
    }


def _in_turns(ways: dict[str, Callable[[], float]], exchange: Exchange, rows: int) -> dict[str, list[float]]:
    """The seconds of each way, several times. Each second round goes backwards: what was there before leaves traces."""
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(REPEATS):
        for way in ways if number % 2 == 0 else reversed(ways):
            taken[way].append(ways[way]())
            _empty(exchange, rows)
    return taken


def _empty(exchange: Exchange, rows: int) -> None:
    """Check that all messages are in the queue, and take them out."""
    for _ in range(100):
        if exchange.waiting() >= rows:
            break
        time.sleep(0.1)
    waiting = exchange.waiting()
    if waiting != rows:
        raise AssertionError(f"the queue holds {waiting} messages, not {rows}")
    with exchange.broker.channel() as channel:
        channel.queue_purge(exchange.queue)
    time.sleep(1)  # The broker needs time to forget them; otherwise they slow the next publisher down.


def _lines(rows: int, rates: dict[str, float], taken: dict[str, list[float]]) -> list[Line]:
    name, ours = f"publishing {rows:,} rows, binary, confirmed and mandatory", rates["janitor"]
    bare = {way: rate for way, rate in rates.items() if way.startswith("window")}
    if not bare:
        return [Line(name, ours, "rows/s")]
    blocking = Rival("BlockingConnection, a confirm for each message", rates["blocking"], f"{BLOCKING_ROWS:,} messages")
    windows = [Rival(f"bare pika, ready bytes, {way}", rate) for way, rate in bare.items()]
    limit = Rival(
        "limit: pika without confirms, ready bytes",
        rates["pika without confirms"],
        f"{LOOSE_ROWS:,} messages; it loses some",
    )
    same, wide = (_share(taken, f"window {window:,}") for window in WINDOWS)
    times = ours / rates["blocking"]
    return [
        Line(name, ours, "rows/s", rivals=[*windows, blocking, limit]),
        Line(f"{name}, of bare pika with the same window of {WINDOW:,}", same, "%", ">= 95 %", same >= 95),
        Line(f"{name}, of bare pika with a window of {WINDOWS[1]:,}", wide, "%"),
        Line(f"{name}, over BlockingConnection", times, "times as fast", ">= 15 times", times >= 15),
    ]


def _share(taken: dict[str, list[float]], way: str) -> float:
    """What part of bare pika's rate Janitor's is, in per cent: the median over pairs."""
    return 100 * statistics.median(theirs / ours for ours, theirs in zip(taken["janitor"], taken[way], strict=True))
