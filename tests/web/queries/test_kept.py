"""What is kept of a job, there or gone."""

from janitor.state import State, cursors, job_records, memories, quarantine
from janitor.state.quarantine import Quarantined
from janitor.web.queries.kept import gone_job, kept_of
from tests.small_engine import job_of, nothing, remember_run
from tests.web.queries.past import NOON, ask


def test_a_job_is_kept_while_it_is_there_or_on_record(state: State) -> None:
    remember_run(state, "ran", NOON)
    with state.begin() as connection:
        job_records.remember(connection, {"never ran": ("every 1h", True)}, NOON)
        memories.remember(connection, "ran", "task")
    jobs = {"there": job_of(nothing, id="there", memories=("feed",))}
    found = {name: ask(state, kept_of, jobs, name) for name in ("there", "ran", "never ran", "nobody")}
    assert {name: one and one.names for name, one in found.items()} == {
        "there": ["there", "feed"],
        "ran": ["ran", "task"],
        "never ran": ["never ran"],
        "nobody": None,
    }


def test_of_a_job_that_is_gone_the_cursors_are_told(state: State) -> None:
    remember_run(state, "ran", NOON)
    with state.begin() as connection:
        memories.remember(connection, "ran", "task")
        cursors.save(connection, "task", "of its own kind", NOON, 1)
        quarantine.put(connection, "task", [Quarantined("a", "why")], NOON, 1)
        quarantine.drop(connection, "task", "a", "anna", "lost", NOON)
    kept = ask(state, kept_of, {}, "ran")
    gone = ask(state, gone_job, kept)
    assert (gone.id, gone.record, gone.cursors, gone.dropped) == ("ran", None, ["task has a cursor of its own kind"], 1)
