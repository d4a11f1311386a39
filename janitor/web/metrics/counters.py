"""Counters for Prometheus, kept in this process from its start."""

import platform
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Histogram, Info, ProcessCollector

from janitor import __version__
from janitor.engine.stages import Slot
from janitor.jobs.job import Job
from janitor.runs import Outcome, Run
from janitor.state.run_records import Ending
from janitor.state.slot_records import LostSlots
from janitor.web.desk import Desk
from janitor.web.metrics.gauges import Gauges, publishes
from janitor.web.metrics.vitals import Vitals

DURATIONS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400)
DELAYS = (0.1, 0.5, 1, 5, 30, 300)
ALWAYS = ("inserted", "updated", "deleted")
"""Operations that every job has from the start, at 0."""
RESULTS = ("published", "already_published")
"""Counts that tell of messages; every other count but `quarantined` tells of rows."""
MOST_OPERATIONS = 40
"""How many operations of a job are told apart; all further ones are `other`. Each is a time series."""


class Metrics:
    """An observer of the runner that counts, and the registry that `/metrics` shows; dry runs are not counted."""

    def __init__(self, desk: Desk) -> None:
        """Every counter of every job begins at 0, so that a rate is right from the first scrape on."""
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.vitals = Vitals(desk)
        self._since = datetime.now(timezone.utc)
        self._operations: dict[str, set[str]] = {job: set() for job in desk.jobs}
        self._runs = Counter(
            "janitor_runs_total",
            "Runs, and slots of the schedule that got none, by outcome, since this process began",
            ("job", "outcome"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "janitor_run_duration_seconds", "How long runs took", ("job",), registry=self.registry, buckets=DURATIONS
        )
        self._delay = Histogram(
            "janitor_start_delay_seconds",
            "How long after their slots runs began",
            ("job",),
            registry=self.registry,
            buckets=DELAYS,
        )
        self._rows = Counter(
            "janitor_rows_total",
            "What succeeded runs counted of rows, by operation",
            ("job", "operation"),
            registry=self.registry,
        )
        self._published = Counter(
            "janitor_published_total",
            "Messages of succeeded runs: published now, or published already",
            ("job", "result"),
            registry=self.registry,
        )
        build = Info("janitor_build", "The release of this process", registry=self.registry)
        build.info({"version": __version__, "python": platform.python_version()})
        ProcessCollector(registry=self.registry)
        self.registry.register(Gauges(desk, self.vitals, self.expect))
        for job in desk.jobs.values():
            self._begin_at_zero(job)

    def began(self, job: Job, slot: Slot, run: Run) -> None:
        """A run is on record. A slot from before this process tells how long nothing ran, not how late this run is."""
        if job.id not in self._operations:
            self._begin_at_zero(job)
        if slot.at is not None and slot.at >= self._since and not run.dry_run:
            self._delay.labels(job.id).observe(max(0.0, (run.started_at - slot.at).total_seconds()))

    def ended(self, job: Job, run: Run, ending: Ending) -> None:
        """Count a run, and what it counted."""
        if run.dry_run:
            return
        self._runs.labels(job.id, ending.outcome.value).inc()
        self._seconds.labels(job.id).observe(ending.seconds)
        for name, number in _numbers(ending.counts):
            if name in RESULTS:
                self._published.labels(job.id, name).inc(number)
            else:
                self._rows.labels(job.id, self._operation(job.id, name)).inc(number)

    def lost(self, lost: LostSlots) -> None:
        """Count slots that got no run."""
        self._runs.labels(lost.job, lost.outcome.value).inc(lost.slots)

    def expect(self, counts: Mapping[str, Mapping[str, Any]]) -> None:
        """Begin at 0 for all that each job counted the last time, before this process began."""
        for job, found in counts.items():
            for name, _ in _numbers(found):
                if name not in RESULTS and job in self._operations:
                    self._rows.labels(job, self._operation(job, name))

    def _begin_at_zero(self, job: Job) -> None:
        for outcome in Outcome:
            self._runs.labels(job.id, outcome.value)
        for name in ALWAYS:
            self._rows.labels(job.id, self._operation(job.id, name))
        if publishes(job):
            for name in RESULTS:
                self._published.labels(job.id, name)
        self._seconds.labels(job.id)
        self._delay.labels(job.id)

    def _operation(self, job: str, name: str) -> str:
        known = self._operations.setdefault(job, set())
        if name not in known:
            if len(known) >= MOST_OPERATIONS:
                return "other"
            known.add(name)
        return name


def watch(desk: Desk) -> Metrics:
    """Begin to count what a daemon's runner does."""
    metrics = Metrics(desk)
    desk.runner.observers.append(metrics)
    return metrics


def _numbers(counts: Mapping[str, Any] | None) -> Iterator[tuple[str, int]]:
    """The whole numbers among a run's counts, but not the quarantine's size, which is a state and no count."""
    for name, value in (counts or {}).items():
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 and name != "quarantined":
            # A task may count by any name; a name with half a character would spoil every scrape.
            yield name[:64].encode("utf-8", "replace").decode("utf-8"), value
