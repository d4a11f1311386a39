"""What people do to items; each act is remembered with who did it, and when.

choose    the ids of all items that match are read first: an act may change what matches
act       a few items in a transaction: those of them that still match
record    in the first of these transactions, with how many were chosen
wake      whoever waits for such work looks, after each commit
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from janitor.errors import BadSetting, JanitorError
from janitor.items import waking
from janitor.items.adding import check_step, plan_of
from janitor.items.cleaning import clean_up, has_cleanup
from janitor.items.pipelines import pipelines_of
from janitor.jobs.job import Job
from janitor.runs.bounds import listed
from janitor.settings.settings import Settings
from janitor.state import State, actions, item_acts, item_changes, item_search
from janitor.state.item_changes import Changed
from janitor.state.item_plans import Plan
from janitor.state.item_search import Wanted

TOGETHER = 200
"""So many items are changed in one transaction: others that write wait no longer for it."""
READ_TOGETHER = 5_000
Act = Callable[[Connection, Plan, Sequence[int]], Changed]
Clean = Callable[[int], None]


@dataclass(frozen=True)
class Chosen:
    """Items that somebody has chosen: one by its key, or all for which one of `wanted` is so.

    Of the latter those are left alone for which it is so no more once it is their turn.
    """

    pipeline: str
    ids: Sequence[int]
    said: str
    wanted: Sequence[Wanted] = ()


def by_key(state: State, pipeline: str, key: str) -> Chosen:
    """Choose an item by its key.

    Raises:
        BadSetting: there is no such item, or no such pipeline.
    """
    with state.read() as connection:
        plan_of(connection, pipeline)
        row = item_search.one(connection, pipeline, key)
    if row is None:
        raise BadSetting("the key", key, f"{pipeline} has no such item; `items {pipeline}` lists what it has")
    return Chosen(pipeline, [row.id], key)


def by_filter(state: State, *wanted: Wanted) -> Chosen:
    """Choose all items of a pipeline for which one of `wanted` is so.

    Raises:
        BadSetting: there is no such pipeline, step or state, or a key cannot be looked for.
    """
    with state.read() as connection:
        plan = plan_of(connection, wanted[0].pipeline)
    for one in wanted:
        if one.step is not None:
            check_step(plan, one.step)
    found = array("q", dict.fromkeys(_all_of(state, wanted)))
    said = " or ".join(one.told() for one in wanted)
    return Chosen(plan.pipeline, found, f"{len(found):,} item{'s' if len(found) != 1 else ''}: {said}", wanted)


def _all_of(state: State, wanted: Sequence[Wanted]) -> Iterator[int]:
    for walk in map(item_search.Walk, wanted):
        more = True
        while more:
            with state.read() as connection:
                ids = walk.next(connection, READ_TOGETHER)
            yield from ids
            more = bool(ids)


def retry(state: State, chosen: Chosen, actor: str, now: datetime, steps: Sequence[str] | None = None) -> int:
    """Let steps that failed, or wait for another try, be taken now; how many items have such a step.

    All their steps are meant if `steps` is None.
    """

    def act(connection: Connection, plan: Plan, ids: Sequence[int]) -> Changed:
        return item_acts.retry(connection, plan, ids, now, steps)

    of_steps = "" if steps is None else f" at {listed(list(steps), 5)}"
    return _do(state, chosen, act, actor, actions.RETRIED, f"{chosen.said}{of_steps}", now)


def reset(state: State, chosen: Chosen, step: str, actor: str, now: datetime) -> int:
    """Let a step, and all behind it, be done again; how many items that are.

    Raises:
        BadSetting: there is no such step.
    """

    def act(connection: Connection, plan: Plan, ids: Sequence[int]) -> Changed:
        return item_acts.reset(connection, plan, ids, check_step(plan, step), now)

    return _do(state, chosen, act, actor, "reset", f"{chosen.said}, from {step} on", now)


def reprocess(state: State, chosen: Chosen, actor: str, now: datetime) -> int:
    """Let all steps be done again; how many items that are."""

    def act(connection: Connection, plan: Plan, ids: Sequence[int]) -> Changed:
        return item_acts.reprocess(connection, plan, ids, now)

    return _do(state, chosen, act, actor, "reprocessed", chosen.said, now)


def cleaner(state: State, jobs: Mapping[str, Job], pipeline: str, settings: Settings) -> Clean | None:
    """What calls the cleanups of an item's steps, for `drop`; None if the pipeline is gone, or has no cleanup."""
    found = pipelines_of(jobs).get(pipeline)
    return None if found is None or not has_cleanup(found) else partial(clean_up, state, found, settings)


def drop(state: State, chosen: Chosen, note: str, actor: str, now: datetime, clean: Clean | None = None) -> int:
    """Delete items with all that is kept of them, with a note that says why; how many.

    `clean` is called with the id of each before it is deleted; an item whose cleanup fails stays.

    Raises:
        BadSetting: the note is empty.
        JanitorError: a cleanup failed; the error tells how many other items are deleted.
    """
    if not note.strip():
        raise BadSetting("the note", note, "say why these items may be deleted")

    def act(connection: Connection, plan: Plan, ids: Sequence[int]) -> Changed:
        return Changed(touched=item_acts.drop(connection, plan, ids))

    failed, pieces = list[JanitorError](), _pieces(chosen)
    if clean is not None:
        pieces = (_cleaned(state, chosen, some, clean, failed) for some in pieces)
    done = _do(state, chosen, act, actor, "dropped", f"{chosen.said}: {note.strip()}", now, pieces)
    if failed:
        stays = "" if len(failed) == 1 else f"; {len(failed) - 1:,} more stay"
        raise JanitorError(f"{failed[0]}{stays}; {done:,} others are deleted")
    return done


def _cleaned(
    state: State, chosen: Chosen, some: Iterable[int], clean: Clean, failed: list[JanitorError]
) -> Sequence[int]:
    """Clean up those of some items that are still meant, and return them; an error of a cleanup is put to `failed`."""
    done = []
    for item_id in some:
        with state.read() as connection:
            is_meant = bool(_meant(connection, chosen, [item_id]))
        try:
            if is_meant:
                clean(item_id)
                done.append(item_id)
        except JanitorError as exc:
            failed.append(exc)
    return done


def flag(state: State, pipeline: str, key: str, note: str, actor: str, now: datetime) -> None:
    """Mark an item for people, with a note; a flag that it had gives way.

    Raises:
        BadSetting: there is no such item, or the note is empty.
    """
    if not note.strip():
        raise BadSetting("the note", note, "say what people are to look at")
    [item_id] = by_key(state, pipeline, key).ids
    with state.begin() as connection:
        if item_acts.flag(connection, item_id, note.strip(), actor, now):
            actions.record(connection, actor, "flagged", pipeline, f"{key}: {note.strip()}", now)


def resolve(state: State, pipeline: str, key: str, note: str, actor: str, now: datetime) -> bool:
    """Note what became of an item's flag; False if the item has none that is open.

    Raises:
        BadSetting: there is no such item.
    """
    [item_id] = by_key(state, pipeline, key).ids
    with state.begin() as connection:
        done = item_acts.resolve(connection, item_id, note.strip(), actor, now)
        if done:
            actions.record(connection, actor, "flag resolved", pipeline, f"{key}: {note.strip()}".rstrip(": "), now)
    return done


def _do(
    state: State,
    chosen: Chosen,
    act: Act,
    actor: str,
    action: str,
    detail: str,
    now: datetime,
    pieces: Iterable[Sequence[int]] | None = None,
) -> int:
    """Act on what was chosen, a few at a time; how many items were touched. Nothing is recorded if none was.

    `pieces` are the few of each transaction, and are made one by one; those of `_pieces` if None.
    """
    done = 0
    for some in _pieces(chosen) if pieces is None else pieces:
        with state.begin() as connection:
            plan = plan_of(connection, chosen.pipeline)
            changed = act(connection, plan, _still(connection, chosen, some))
            if changed.touched and not done:
                actions.record(connection, actor, action, chosen.pipeline, detail, now)
        waking.wake(changed.ready)
        done += changed.touched
    return done


def _pieces(chosen: Chosen) -> Iterable[Sequence[int]]:
    return (chosen.ids[at : at + TOGETHER] for at in range(0, len(chosen.ids), TOGETHER))


def _still(connection: Connection, chosen: Chosen, some: Iterable[int]) -> Sequence[int]:
    """Those of some items for which it is still so, locked until the transaction ends."""
    return _meant(connection, chosen, list(item_changes.lock(connection, sorted(some))))


def _meant(connection: Connection, chosen: Chosen, ids: Sequence[int]) -> Sequence[int]:
    if not chosen.wanted:
        return ids
    found = {item_id for one in chosen.wanted for item_id in item_search.among(connection, one, ids)}
    return [item_id for item_id in ids if item_id in found]
