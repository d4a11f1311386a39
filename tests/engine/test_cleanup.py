"""Cleanup: a run whose cleanup failed stays, and nothing of the failure does."""

import gc
import weakref
from datetime import timedelta

from janitor.engine import cleanup
from janitor.engine.runner import Runner
from janitor.runs import PastRun
from janitor.state.retention import Bounds
from tests.small_engine import job_of, nothing, now, rows_of, run_by_hand


def test_what_a_failed_cleanup_held_is_let_go(lite: Runner) -> None:
    """Given a cleanup with an object in a variable, an open file for example.

    The cleanup fails. The run must stay, with the reason, and the object be gone without a garbage collection.
    """

    class Held:
        """What a cleanup holds."""

    held: list[weakref.ref[Held]] = []

    def clean(run: PastRun) -> None:
        mine = Held()
        held.append(weakref.ref(mine))
        raise ValueError("still in use")

    run_by_hand(lite, nothing)
    job, bounds = job_of(nothing, cleanup=clean), Bounds(now() + timedelta(days=1), 100, jobs=["task"])
    gc.disable()
    try:
        assert cleanup.prune(lite.state, {job.id: job}, lite.settings, bounds) == 0
        assert held[0]() is None
    finally:
        gc.enable()
    (row,) = rows_of(lite.state)
    assert row.kept_because.endswith("ValueError: still in use")
