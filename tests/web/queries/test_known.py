"""What is read of all jobs at once: as many runs as a list shows, and only those whole that it shows in full."""

import json

from janitor.state import State, cursors
from janitor.web.queries.known import MANY, SHORT_STRIP, STRIP, known_of, last_ended
from tests.small_engine import job_of
from tests.web.queries.past import MINUTE, NOON, add, ask

NOW = NOON + 60 * MINUTE


def test_strips_are_short_if_there_are_many_jobs(state: State) -> None:
    jobs = {f"job_{number}": job_of(print, id=f"job_{number}") for number in range(MANY + 1)}
    for minute in range(STRIP + 5):
        add(state, "job_0", minute)
    few = dict(list(jobs.items())[:MANY])
    assert len(ask(state, known_of, list(few.values()), few, NOW).newest["job_0"]) == STRIP
    assert len(ask(state, known_of, list(jobs.values()), jobs, NOW).newest["job_0"]) == SHORT_STRIP


def test_only_runs_that_are_shown_in_full_are_read_whole(state: State) -> None:
    add(state, "a", 1, reason="older")
    last, live = add(state, "a", 2, "failed", reason="it broke"), add(state, "a", 3, None, progress=json.dumps({}))
    skipped = add(state, "b", 4, "skipped")
    jobs = {id: job_of(print, id=id) for id in ("a", "b", "c")}
    known = ask(state, known_of, list(jobs.values()), jobs, NOW)
    assert sorted(known.whole) == [last, live, skipped]
    assert (known.whole[last].reason, known.whole[live].progress) == ("it broke", "{}")
    ended = last_ended(known.newest["a"])
    assert ended is not None and ended.id == last and last_ended(known.newest.get("c", ())) is None


def test_of_one_job_nothing_of_the_others_is_read(state: State) -> None:
    jobs = {"a": job_of(print, id="a"), "b": job_of(print, id="b", dependencies=["a"]), "c": job_of(print, id="c")}
    for id in jobs:
        add(state, id, 1)
        with state.begin() as connection:
            cursors.save(connection, id, "page 7", NOON, 1)
    known = ask(state, known_of, [jobs["a"]], jobs, NOW)
    assert (list(known.newest), list(known.cursors)) == (["a"], ["a"])
    assert list(known.dependents["a"]) == ["b"] and "a" in known.standings and "c" not in known.standings
    assert ask(state, known_of, [jobs["c"]], jobs, NOW).standings == {}
