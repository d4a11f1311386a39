"""The publisher's whole work: deriving, publishing, ledger and cursor; and its reconcile of published messages."""

from benchmarks.clockwork import empty_folder
from benchmarks.house import House
from benchmarks.measures import Line

STATUSES = 200


def measure(house: House, rivals: bool) -> list[Line]:
    """Measure messages a second of both, over the days of the newest 200 statuses, in processes of their own.

    There is no goal: benchmarks/README.md reckons with these figures.
    """
    del rivals
    oldest = f"SELECT DATE(date) FROM iseq_run_status ORDER BY id_run_status DESC LIMIT 1 OFFSET {STATUSES}"
    since = str(house.mlwh(oldest)[0][0])
    with empty_folder() as folder:
        follow = house.run_alone("sequencing_publisher.follow", folder, SEQUENCING_PUBLISHER_SINCE=since)
        reconcile = house.run_alone("sequencing_publisher.reconcile", folder, SEQUENCING_PUBLISHER_SINCE=since)
    published, again = follow["counts"]["published"], reconcile["counts"]["already_published"]
    if reconcile["counts"]["published"] or not 0 < again <= published:
        raise AssertionError(f"reconcile was to find all published: {follow['counts']}, then {reconcile['counts']}")
    with house.servers.broker.channel() as channel:
        channel.queue_purge(house.exchange.queue)
    return [
        Line(f"sequencing follow, catching up with {published:,} messages", published / follow["seconds"], "rows/s"),
        Line("sequencing follow, catching up, peak memory", follow["peak_mb"], "MB"),
        Line(f"sequencing reconcile of {again:,} messages, all published", again / reconcile["seconds"], "rows/s"),
        Line("sequencing reconcile, peak memory", reconcile["peak_mb"], "MB"),
    ]
