"""Gauges for Prometheus: what holds at the moment of a scrape, from memory and from the state database."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from janitor.jobs.job import Job
from janitor.jobs.slots import next_slot_if_told
from janitor.needs import ExchangeNeed
from janitor.web.desk import Desk
from janitor.web.metrics import item_gauges
from janitor.web.metrics.vitals import WAIT_SECONDS, Signs, Vitals

DRIFT = ("missing", "different")
"""The counts by which a reconcile tells what it found, repaired or not."""


class Gauges(Collector):
    """What is read at each scrape: from memory, and from the state database if it answers in time."""

    def __init__(self, desk: Desk, vitals: Vitals, expect: Callable[[Mapping[str, Mapping[str, Any]]], None]) -> None:
        """Nothing is read yet; `expect` is told what each job counted the last time."""
        self._desk, self._vitals, self._expect = desk, vitals, expect
        self._next: dict[str, tuple[Job, datetime | None]] = {}

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing: a registry that asks here would read everything at registration."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every gauge with a value; without the state database, the values that were read last."""
        self._vitals.writing.get(0)
        answer, ledger = self._vitals.signs.get(WAIT_SECONDS), self._vitals.ledger.get(0)
        is_up = answer.failure is None and self._vitals.writing.get(WAIT_SECONDS).failure is None
        yield from self._of_process()
        yield _one("janitor_state_up", "Whether the state database answers, and takes writes", is_up)
        signs = answer.value
        yield from self._of_loops()
        yield self._running(signs)
        if signs is not None:
            self._expect(signs.counts)
            yield from self._of_jobs(signs)
        if ledger.value is not None:
            of_jobs = {job: 0 for job, one in self._desk.jobs.items() if publishes(one)} | ledger.value
            text = "Messages that the ledger holds, as counted lately"
            yield _by_job("janitor_ledger_entries", text, of_jobs)
        yield from self._of_items()

    def _of_process(self) -> Iterator[GaugeMetricFamily]:
        daemon = self._desk.daemon
        silent = daemon.heartbeat.silent_seconds()
        if silent is not None:
            text = "When the clock last ticked, which it does every 5 s"
            # By the state database's clock: Prometheus compares it with its own, and the host's clock may be off.
            ticked_at = self._desk.now().timestamp() - silent
            yield _one("janitor_clock_heartbeat_timestamp_seconds", text, ticked_at)
        yield _one("janitor_leading", "Whether this daemon's clock goes; else it stands by", daemon.leading)
        text = "How far this host's clock is ahead of the state database's clock, by which slots come"
        yield _one("janitor_clock_offset_seconds", text, self._desk.state.clock.host_ahead_seconds)
        text = "Records of runs that wait for the state database"
        yield _one("janitor_records_waiting", text, self._desk.runner.waiting)
        text = "Runs that are due and wait for a thread"
        yield _one("janitor_runs_waiting", text, daemon.runs_waiting)

    def _of_loops(self) -> Iterator[Metric]:
        loops = self._desk.runner.loops
        in_trouble = {trouble.duty for trouble in loops.troubles}
        failing = GaugeMetricFamily(
            "janitor_loop_failing", "Whether a part of the daemon fails again and again", labels=("loop",)
        )
        failures = CounterMetricFamily(
            "janitor_loop_failures", "How often a part of the daemon failed, and went on", labels=("loop",)
        )
        for name, count in loops.failures.items():
            failing.add_metric((name,), float(name in in_trouble))
            failures.add_metric((name,), float(count))
        yield failing
        yield failures

    def _running(self, signs: Signs | None) -> GaugeMetricFamily:
        running = {live.job.id for live in list(self._desk.runner.live.values())}
        running |= signs.elsewhere if signs is not None else frozenset()
        text = "Whether a run goes on"
        return _by_job("janitor_running", text, {job: job in running for job in self._desk.jobs})

    def _of_jobs(self, signs: Signs) -> Iterator[GaugeMetricFamily]:
        jobs, now = self._desk.jobs, self._desk.now()
        paused = {job: job in signs.known and signs.known[job].paused_at is not None for job in jobs}
        yield _by_job(
            "janitor_enabled", "Whether the job is switched on", {job: one.enabled for job, one in jobs.items()}
        )
        yield _by_job("janitor_paused", "Whether somebody paused the job", paused)
        text = "Whether the job had no success within twice its schedule"
        yield _by_job("janitor_overdue", text, {job: job in signs.overdue for job in jobs})
        slots = {job: self._next_slot(one, now) for job, one in jobs.items() if one.enabled and not paused[job]}
        text = "When the job runs next; none if it is switched off or paused"
        yield _by_job("janitor_next_run_timestamp_seconds", text, _timestamps(slots))
        successes = {job: row.ended_at for job, row in signs.successes.items() if job in jobs}
        text = "When a run last succeeded"
        yield _by_job("janitor_last_success_timestamp_seconds", text, _timestamps(successes))
        text = "When a run last came to its end: succeeded, failed or timed out"
        completions = {job: row.ended_at for job, row in signs.completions.items() if job in jobs}
        yield _by_job("janitor_last_completion_timestamp_seconds", text, _timestamps(completions))
        yield from self._of_data(signs, now)

    def _of_data(self, signs: Signs, now: datetime) -> Iterator[GaugeMetricFamily]:
        text = "How long ago the run began that last read the feed to its end: nothing older is unread"
        began = {job: row.started_at for job, row in signs.successes.items() if job in signs.tops}
        lags = {job: (now - at).total_seconds() for job, at in began.items()}
        yield _by_job("janitor_cursor_lag_seconds", text, lags)
        yield _by_job("janitor_cursor_id", "The highest id of its feed that a job is done with", signs.tops)
        text = "Rows that the last reconcile found missing or different"
        drift = {
            job: sum(counts[name] for name in DRIFT) for job, counts in signs.counts.items() if _tells_drift(counts)
        }
        yield _by_job("janitor_reconcile_drift", text, drift)
        text = "Rows that wait in quarantine as they cannot be delivered"
        yield _by_job("janitor_quarantine_rows", text, {job: 0 for job in self._desk.jobs} | dict(signs.quarantined))

    def _of_items(self) -> Iterator[Metric]:
        jobs = dict(self._desk.jobs)
        if any(job.work is not None for job in jobs.values()):
            signs = self._vitals.items.get(WAIT_SECONDS).value
            yield from item_gauges.of_jobs(jobs, signs) if signs is not None else ()

    def _next_slot(self, job: Job, now: datetime) -> datetime | None:
        known, slot = self._next.get(job.id, (None, None))
        if known is not job or slot is None or slot <= now:
            slot = next_slot_if_told(job.trigger, now)
            self._next[job.id] = job, slot
        return slot


def publishes(job: Job) -> bool:
    """Whether a job publishes messages."""
    return any(isinstance(need, ExchangeNeed) for need in job.needs)


def _tells_drift(counts: Mapping[str, Any]) -> bool:
    return all(isinstance(counts.get(name), int) for name in DRIFT)


def _one(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=float(value))


def _by_job(name: str, text: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=("job",))
    for job, value in values.items():
        family.add_metric((job,), float(value))
    return family


def _timestamps(moments: Mapping[str, datetime | None]) -> dict[str, float]:
    return {job: moment.timestamp() for job, moment in moments.items() if moment is not None}
