"""Pipelines: numbers by step and status, rates, what waits, and why a step takes nothing."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from janitor.items import Step
from janitor.scheduler import Scheduler
from janitor.state import State, item_acts, item_counts, item_letters, item_replies, job_records
from janitor.state.item_states import FAILED, NAMES
from janitor.state.item_tables import item_letters as letter_rows
from janitor.state.item_tables import item_replies as reply_rows
from janitor.web.queries import models
from janitor.web.queries.known_pipelines import known
from janitor.web.queries.pipelines import STATES, kind_of, pipeline_lines, pipeline_page
from tests.state.parcels import DAY, NOW, PLAN, SECOND, add, end, save, take
from tests.web.queries.past import ask, clock

MINUTE = timedelta(minutes=1)


def house(state: State, **more: Any) -> Scheduler:
    """A clock with the pipeline of parcels."""
    scheduler = clock(state, "job")
    steps = [Step("fetch", print), Step("match", print, needs=["fetch"]), Step("count", print, needs=["match"])]
    statuses = {"no host": "error", "few filters": "warning"}
    scheduler.add_pipeline("parcels", steps, statuses=statuses, title="Parcels", notes="*Soon*", **more)
    return scheduler


def fill(state: State) -> None:
    """Ten items: one is done, one failed at its second step, one is taken for it, and the others wait for the first."""
    ids = add(state, *(f"DN{number}" for number in range(10)))
    end(state, "fetch", *ids[:3], at=NOW + SECOND)
    end(state, "match", ids[0], status="few filters", at=NOW + 2 * SECOND)
    end(state, "match", ids[1], status="no host", at=NOW + 2 * SECOND)
    take(state, "match", ids[2], at=NOW + 3 * SECOND)


def line_of(state: State, jobs: Any, now: Any = NOW + 10 * MINUTE) -> models.PipelineLine:
    """The line of the only pipeline."""
    [line] = ask(state, pipeline_lines, jobs, now)
    assert isinstance(line, models.PipelineLine)
    return line


def test_the_numbers_are_those_of_the_items(state: State) -> None:
    fill(state)
    line = line_of(state, house(state).jobs)
    assert (line.items, line.open, line.done, line.failed) == (10, 8, 1, 1)
    fetch, match, count = line.steps
    told = [(one.progress.done, one.progress.waiting, one.progress.failed, one.progress.blocked) for one in line.steps]
    assert told == [(3, 7, 0, 0), (1, 7, 1, 0), (1, 8, 0, 1)] and match.progress.processing == 1
    assert (line.progress.all, line.progress.done, line.progress.share) == (30, 5, 5 / 30)
    assert {(one.state, one.status, one.kind, one.look): one.items for one in match.counts} == {
        ("waiting", "not processed", None, "waiting"): 7,
        ("done", "few filters", "warning", "warning"): 1,
        ("failed", "no host", "error", "error"): 1,
        ("processing", "processing", None, "processing"): 1,
    }
    assert {one.look for one in count.counts} == {"waiting", "blocked", "left_out"}
    assert (fetch.attempts, fetch.seconds_each, fetch.needs, match.needs) == (3, 1.0, {}, {"fetch": "processed"})


def test_the_end_is_as_far_as_the_slowest_step(state: State) -> None:
    # Given: snapshots of late. In ten minutes the first step ended 30 items, and the second 10.
    # What happens: items wait for both. What must hold: the time to the end is that of the second.
    save(state)
    with state.begin() as connection:
        item_counts.save_snapshot(connection, "parcels", NOW)
    ids = add(state, *(f"DN{number}" for number in range(40)))
    end(state, "fetch", *ids[:30])
    end(state, "match", *ids[:10], status="no host")
    scheduler = house(state)
    line = line_of(state, scheduler.jobs)
    fetch, match, count = line.steps
    assert (round(fetch.per_hour or 0), round(match.per_hour or 0), count.per_hour) == (180, 60, 0.0)
    assert (round(fetch.seconds_left or 0), round(match.seconds_left or 0)) == (200, 1800)
    assert count.seconds_left is None and line.seconds_left is None, "at its rate the last step never ends"
    assert round(line.per_hour or 0) == 240
    with state.begin() as connection:
        item_acts.drop(connection, PLAN, ids[10:])
    assert line_of(state, scheduler.jobs).seconds_left == 0.0
    assert line_of(state, scheduler.jobs, NOW + DAY).per_hour is None


def test_the_oldest_that_can_be_taken_is_told(state: State) -> None:
    fill(state)
    line = line_of(state, house(state).jobs)
    assert [one.oldest_waiting_at for one in line.steps] == [NOW, None, None] and line.oldest_waiting_at == NOW


def test_a_step_that_takes_nothing_says_why(state: State) -> None:
    fill(state)
    scheduler = house(state)
    assert {one.off for one in line_of(state, scheduler.jobs).steps} == {None}
    with state.begin() as connection:
        job_records.remember(connection, {"parcels.match": ("with work", True)}, NOW)
        job_records.pause(connection, "parcels.match", "with work", NOW, "berta")
    off = clock(state)
    off.add_pipeline("parcels", [Step("fetch", print, enabled="until May"), Step("match", print)])
    assert [one.off for one in line_of(state, off.jobs).steps] == ["switched off: until May", "paused by berta"]
    gone = line_of(state, {})
    assert not gone.here and {one.off for one in gone.steps} == {"its job is gone"}


def test_letters_and_replies_are_counted(state: State) -> None:
    ids = add(state, "DN1")
    with state.begin() as connection:
        for number in range(3):
            item_letters.add(connection, "parcels", "desk", "it is no JSON", "{", 1, None, NOW)
        letters = connection.execute(select(letter_rows.c.id).order_by(letter_rows.c.id)).scalars().all()
        item_letters.drop(connection, letters[:1], "anna", NOW)
        item_replies.add(connection, PLAN, [item_replies.Due(ids[0], "DN1", None) for _ in range(5)], NOW)
        replies = connection.execute(select(reply_rows.c.id).order_by(reply_rows.c.id)).scalars().all()
        item_replies.note_sent(connection, "parcels", replies[:1], NOW)
        item_replies.give_up(connection, "parcels", replies[1:3], NOW, "nobody")
    line = line_of(state, house(state).jobs)
    assert (line.dead_letters, line.replies_waiting, line.replies_given_up) == (2, 2, 2)


def test_a_pipeline_that_is_gone_is_told_while_items_are_kept(state: State) -> None:
    save(state)
    assert ask(state, pipeline_lines, {}, NOW) == []
    assert line_of(state, house(state).jobs).items == 0
    [item] = add(state, "DN1")
    assert (line_of(state, {}).here, line_of(state, {}).title) == (False, "")
    with state.begin() as connection:
        item_acts.drop(connection, PLAN, [item])
    assert ask(state, pipeline_lines, {}, NOW) == []


def test_the_page_has_what_the_pipeline_says_of_itself(state: State) -> None:
    ids = add(state, "a", "b", "c")
    with state.begin() as connection:
        for item in ids[:2]:
            item_acts.flag(connection, item, "odd", "anna", NOW)
        item_acts.resolve(connection, ids[0], "", "anna", NOW)
    scheduler = house(state, on_duplicate="anew")
    page = ask(state, pipeline_page, scheduler.jobs, ask(state, known, scheduler.jobs, "parcels"), NOW)
    assert (page.flagged, page.notes, page.on_duplicate, page.pipeline.title) == (1, "*Soon*", "anew", "Parcels")
    assert page.statuses["few filters"] == "warning" and page.statuses["expired"] == "error"
    gone = ask(state, pipeline_page, {}, ask(state, known, {}, "parcels"), NOW)
    assert (gone.replies, gone.notes, gone.pipeline.here) == (["mail"], "", False)


def test_names_and_kinds_are_those_of_the_state_database() -> None:
    assert STATES == NAMES
    kinds = {"processed": "ok", "no host": "error"}
    assert [kind_of(FAILED, status, kinds) for status in ("no host", "long gone")] == ["error", "error"]
    assert [kind_of(state, "processed", kinds) for state in (3, 4)] == [None, "ok"]
