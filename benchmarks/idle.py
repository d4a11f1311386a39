"""The daemon while nothing happens."""

import time

import psutil

from benchmarks import clockwork
from benchmarks.house import House
from benchmarks.measures import Line, Rival

SETTLE_SECONDS, WATCHED_SECONDS = 75, 60
"""A minute after its start a daemon sets aside what lives long, once: a fifth of a second, which is no idling."""
STILL_RUNNING = "SELECT COUNT(*) FROM runs WHERE slot_at IS NOT NULL AND outcome IS NULL"
ENDED = "SELECT COUNT(DISTINCT job) FROM runs WHERE slot_at IS NOT NULL AND outcome IS NOT NULL"


def measure(house: House, rivals: bool) -> list[Line]:
    """Measure its memory and its share of a core, over a minute after each interval job has run."""
    with clockwork.daemon(house) as daemon:
        clockwork.wait_for(lambda: daemon.rows(ENDED)[:1] == [(3,)] and daemon.rows(STILL_RUNNING) == [(0,)], 120)
        memory, share = _watched(daemon.process.pid)
    others = _bare() if rivals else ([], [])
    return [
        Line("idle daemon, memory", memory, "MB", "<= 90 MB", memory <= 90, others[0]),
        Line("idle daemon, share of a core", share, "% of a core", "<= 0.5 %", share <= 0.5, others[1]),
    ]


def _watched(pid: int) -> tuple[float, float]:
    time.sleep(SETTLE_SECONDS)
    process = psutil.Process(pid)
    before, began = process.cpu_times(), time.perf_counter()
    time.sleep(WATCHED_SECONDS)
    after = process.cpu_times()
    used = after.user + after.system - before.user - before.system
    return process.memory_info().rss / 1e6, round(100 * used / (time.perf_counter() - began), 3)


def _bare() -> tuple[list[Rival], list[Rival]]:
    with clockwork.empty_folder() as folder:
        with clockwork.process(folder, ["-m", "benchmarks.bare_clock"], {}) as bare:
            memory, share = _watched(bare.process.pid)
    name = "limit: a bare APScheduler with one job"
    return [Rival(name, memory)], [Rival(name, share)]
