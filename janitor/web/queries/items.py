"""Items: a page of those that are wanted, and all that is known of one. Secrets are never read."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from janitor.state import item_counts, item_endings, item_replies, item_search
from janitor.state.item_counts import OF_ITEMS, Count
from janitor.state.item_plans import Plan
from janitor.state.item_search import Wanted
from janitor.state.item_states import NAMES, name_of_item
from janitor.state.item_wanted import OF_ITEMS as STATES_OF_ITEMS
from janitor.state.item_wanted import OF_STEPS
from janitor.state.tables import runs
from janitor.web.queries import models, records
from janitor.web.queries.pipelines import STATES, kind_of
from janitor.web.queries.progress import progress_of

MOST_COUNTED = 10_000
"""So far items are counted that no count tells of."""
MOST_ATTEMPTS, MOST_REPLIES = 100, 50


def item_list(
    connection: Connection, plan: Plan, wanted: Wanted, limit: int, after: int | None = None
) -> models.ItemList:
    """A page of items, the newest first; `after` is the id of the last item of the page before.

    Raises:
        BadSetting: there is no such state, or the key cannot be looked for.
    """
    count, is_whole = how_many(connection, plan, wanted)
    # What no count knows is not looked for among a million others.
    rows = item_search.find(connection, wanted, after, limit + 1) if count else []
    steps = item_search.steps(connection, [row.id for row in rows[:limit]])
    lines = [_line(plan, row, steps.get(row.id, ())) for row in rows[:limit]]
    return models.ItemList(
        items=lines,
        count=count,
        is_counted_out=is_whole,
        next_after=lines[-1].id if len(rows) > limit else None,
    )


def how_many(connection: Connection, plan: Plan, wanted: Wanted) -> tuple[int, bool]:
    """How many items are wanted, and whether these are all: rows are counted only if no count tells it.

    Raises:
        BadSetting: as for `item_list`.
    """
    kept = _of_counts(item_counts.read(connection, plan.pipeline), wanted)
    if kept is not None:
        return kept, True
    found = item_search.count(connection, wanted, MOST_COUNTED + 1)
    return min(found, MOST_COUNTED), found <= MOST_COUNTED


def _of_counts(counts: Sequence[Count], wanted: Wanted) -> int | None:
    """How many items are wanted, as the counts tell it; None if they do not.

    An item may have the same status at several steps, so the counts of one step alone tell it.
    """
    if wanted.key is not None or wanted.flagged or (wanted.step is None and wanted.status is not None):
        return None
    if wanted.state is not None and wanted.state not in OF_STEPS:
        return None
    if wanted.step is None or (wanted.state is None and wanted.status is None):
        if wanted.state is not None and wanted.state not in STATES_OF_ITEMS:
            return None
        states: Sequence[int] = list(STATES_OF_ITEMS.values())
        states = states if wanted.state is None else [STATES_OF_ITEMS[wanted.state]]
        return max(0, sum(one.number for one in counts if one.step == OF_ITEMS and one.state in states))
    asked = range(len(NAMES)) if wanted.state is None else OF_STEPS[wanted.state]
    of_step = [one for one in counts if one.step == wanted.step and one.state in asked]
    return max(0, sum(one.number for one in of_step if wanted.status in (None, one.status)))


def item_page(
    connection: Connection, plan: Plan, key: str, show: Callable[[str], Any], show_args: Callable[[str], Any]
) -> models.ItemPage | None:
    """All that is known of an item; None if there is none with this key.

    `show` makes of a result, a JSON text, what the page holds of it; `show_args` of the arguments.
    """
    row = item_search.one(connection, plan.pipeline, key)
    if row is None:
        return None
    steps = item_search.steps(connection, [row.id]).get(row.id, [])
    attempts = item_search.attempts(connection, row.id, MOST_ATTEMPTS)
    kept = _kept(connection, [one.run_id for one in attempts])
    results = item_endings.results_of(connection, row.id)
    replies = item_replies.of_item(connection, row.id, MOST_REPLIES)
    return models.ItemPage(
        item=_line(plan, row, steps),
        args=show_args(row.args),
        results={name: show(results[name]) for name in _in_order(plan, results)},
        needs={step.name: dict(step.needs) for step in plan.steps},
        attempts=[_attempt(plan, one, one.run_id in kept) for one in attempts],
        replies=[_reply(plan, one) for one in replies],
        flag=_flag(row),
        times=row.times,
    )


def _line(plan: Plan, row: Row[Any], steps: Sequence[Row[Any]]) -> models.ItemLine:
    by_name = {step.step: step for step in steps}
    columns = ("id", "key", "priority", "order_at", "added_at", "expires_at", "ended_at", "origin")
    return models.ItemLine(
        **{name: getattr(row, name) for name in columns},
        state=_state_of(row.state),
        flag=row.flag if row.flagged_at is not None and row.resolved_at is None else None,
        progress=progress_of(Counter(step.state for step in steps)),
        steps=[_badge(plan, by_name[name]) for name in _in_order(plan, by_name)],
    )


def _state_of(state: int) -> models.ItemState:
    name = name_of_item(state)
    return "done" if name == "done" else "failed" if name == "failed" else "open"


def _in_order(plan: Plan, names: Mapping[str, object]) -> list[str]:
    """Names of steps in the order of the plan; what the plan does not have any more comes last."""
    planned = [step.name for step in plan.steps if step.name in names]
    return [*planned, *sorted(names.keys() - set(planned))]


def _badge(plan: Plan, step: Row[Any]) -> models.StepBadge:
    return models.StepBadge(
        step=step.step,
        state=STATES[step.state],
        status=step.status,
        kind=kind_of(step.state, step.status, plan.kinds),
        since_at=step.since_at,
        tries=step.tries,
    )


def _kept(connection: Connection, run_ids: Sequence[int]) -> set[int]:
    query = select(runs.c.id).where(runs.c.id.in_(sorted(set(run_ids))))
    return set(connection.execute(query).scalars()) if run_ids else set()


def _attempt(plan: Plan, row: Row[Any], run_is_kept: bool) -> models.ItemAttempt:
    kinds: Mapping[str, models.Kind] = {"ok": "ok", "warning": "warning", "error": "error"}
    return models.ItemAttempt(
        **records.fields_of(row, models.ItemAttempt, "run", "run_is_kept", "kind"),
        run=row.run_id,
        run_is_kept=run_is_kept,
        kind=kinds.get(plan.kinds.get(row.status, "")),
    )


def _reply(plan: Plan, row: Row[Any]) -> models.ReplyLine:
    states: Sequence[Any] = item_replies.NAMES
    return models.ReplyLine(
        **records.fields_of(row, models.ReplyLine, "reply", "state"),
        reply=row.lane.removeprefix(plan.lane("")),
        state=states[row.state],
    )


def _flag(row: Row[Any]) -> models.Flag | None:
    if row.flagged_at is None:
        return None
    return models.Flag(
        note=row.flag or "",
        at=row.flagged_at,
        by=row.flagged_by or "",
        resolution=row.resolution,
        resolved_at=row.resolved_at,
        resolved_by=row.resolved_by,
    )
