"""What is old of items goes little by little, and counts no more; all else stays."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import func, insert, select

from janitor.state import State, item_acts, item_counts, item_letters, item_old, item_replies
from janitor.state.item_old import OldItems, Snapshots
from janitor.state.item_tables import item_attempts
from janitor.state.item_tables import item_letters as letters
from janitor.state.item_tables import item_replies as replies
from janitor.state.item_tables import item_results, item_snapshots, item_steps, items
from janitor.state.retention import Walk
from tests.state.parcels import DAY, NOW, PLAN, SECOND, add, end, save

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
OTHER = replace(PLAN, pipeline="stars")


def go(state: State, walk: Walk, most: int) -> list[int]:
    """How many rows went with each step of a walk, up to its end."""
    gone = list[int]()
    while True:
        with state.begin() as connection:
            step = walk.step(connection, most)
        if step is None:
            return gone
        gone.append(step)


def left(state: State) -> list[str]:
    """The keys of the items that are there; nothing is kept of any other."""
    with state.read() as connection:
        ids = set(connection.execute(select(items.c.id)).scalars())
        for table in (item_steps, item_results, item_attempts):
            assert set(connection.execute(select(table.c.item_id)).scalars()) <= ids
        return list(connection.execute(select(items.c.key).order_by(items.c.id)).scalars())


def numbers(state: State, step: str, pipeline: str = "parcels") -> dict[str, int]:
    """How many there are of each status, as counted; attempts aside."""
    with state.read() as connection:
        counts = item_counts.read(connection, pipeline)
    return {one.status: one.number for one in counts if one.step == step and one.state != item_counts.EVER}


def test_items_that_ended_long_ago_go_and_failed_ones_later(state: State) -> None:
    # Given items that ended one, two, ... days ago, half of them with an error, and some that go on.
    # What happens: those that are over three days go, and over five if they failed.
    # What must hold: these go, a few at a time, with all that is kept of them; and they count no more.
    keys = [f"{kind}{days}" for days in range(7) for kind in ("done", "failed")]
    ids = dict(zip(keys, add(state, *keys), strict=True))
    for key, item_id in ids.items():
        at, is_done = NOW - int(key[-1]) * DAY, key.startswith("done")
        end(state, "fetch", item_id, status="processed" if is_done else "failed", at=at, result="{}")
        for step in ("match", "count") if is_done else ():
            end(state, step, item_id, at=at)
    add(state, "open", at=NOW - 300 * DAY)
    [elsewhere] = add(state, "elsewhere", plan=OTHER)
    end(state, "fetch", elsewhere, plan=OTHER, status="failed", at=NOW - 300 * DAY)
    before, failed_before = NOW - 3 * DAY, NOW - 5 * DAY
    with state.read() as connection:
        found = item_old.old(connection, "parcels", before, failed_before, 3)
        assert found == [ids["done6"], ids["done5"], ids["done4"]]
        assert item_old.old(connection, "parcels", before, failed_before, 9) == [*found, ids["failed6"]]
    assert go(state, OldItems(PLAN, before, failed_before), 3) == [3, 1]
    gone = {"done6", "done5", "done4", "failed6"}
    assert left(state) == [*(key for key in keys if key not in gone), "open", "elsewhere"]
    assert numbers(state, "") == {"done": 4, "failed": 6, "open": 1}
    assert numbers(state, "fetch") == {"processed": 4, "failed": 6, "not processed": 1}
    assert go(state, OldItems(PLAN, before, failed_before), 3) == []


def test_what_was_asked_for_meanwhile_does_not_go(state: State) -> None:
    # Given two items that were found to be old. One of them is done anew before they are deleted.
    ids = add(state, "old", "wanted", "new")
    end(state, "fetch", *ids[:2], status="failed", at=NOW - 9 * DAY)
    end(state, "fetch", ids[2], status="failed", at=NOW)
    with state.begin() as connection:
        assert item_old.old(connection, "parcels", NOW, NOW - DAY, 9) == ids[:2]
        item_acts.reprocess(connection, PLAN, [ids[1]], NOW)
        assert item_old.drop(connection, PLAN, ids, NOW, NOW - DAY) == 1
    assert left(state) == ["wanted", "new"]


def test_replies_and_letters_go_after_a_year(state: State) -> None:
    save(state)
    with state.begin() as connection:
        for at, days in enumerate((400, 370, 366, 364, 1)):
            now = NOW - days * DAY
            item_replies.add(connection, PLAN, [item_replies.Due(None, f"{days}", None)], now)
            item_letters.add(connection, "parcels", "desk", "x", "{}", 2, None, now)
            newest = [connection.execute(select(func.max(replies.c.id))).scalar_one()]
            if at % 2:
                item_replies.give_up(connection, "parcels", newest, now, "nobody is there")
            else:
                item_replies.note_sent(connection, "parcels", newest, now)
        item_replies.add(connection, PLAN, [item_replies.Due(None, "waits", None)], NOW - 500 * DAY)
        oldest = connection.execute(select(func.min(letters.c.id))).scalar_one()
        item_letters.drop(connection, [oldest], "anna", NOW)
    assert [sum(go(state, walk, 1)) for walk in item_old.walks(NOW)] == [2, 1, 3, 0]
    with state.read() as connection:
        assert list(connection.execute(select(replies.c.key).order_by(replies.c.id)).scalars()) == ["364", "1", "waits"]
        assert connection.execute(select(func.count()).select_from(letters)).scalar_one() == 2
    assert numbers(state, ":replies") == {"given up": 1, "sent": 1, "waiting": 1}
    assert numbers(state, ":inboxes") == {"dead letters": 2}


def test_snapshots_are_thinned_with_their_age(state: State) -> None:
    # Given a snapshot every ten minutes for 33 days, and one a day for longer than a year, of two pipelines.
    # What happens: they are thinned, a few at a time, twice; and again ten days later.
    # What must hold: the last day keeps all, a month one an hour, a year one a day: the first of each.
    noon = NOW.replace(hour=12, minute=0)
    moments = [noon - number * 10 * MINUTE for number in range(33 * 144)]
    moments += [noon - number * DAY for number in range(33, 380)]
    rows = [{"pipeline": name, "at": at, "content": "[]"} for name in ("parcels", "stars") for at in moments]
    with state.begin() as connection:
        connection.execute(insert(item_snapshots), rows)

    def thinned(now: object, most: int) -> list[list[timedelta]]:
        gone = sum(go(state, Snapshots(now), most))  # type: ignore[arg-type]
        with state.read() as connection:
            found = connection.execute(select(item_snapshots).order_by(item_snapshots.c.at)).all()
        assert len(found) == len(rows) - gone - already[0]
        already[0] += gone
        return [[noon - row.at for row in found if row.pipeline == name] for name in ("parcels", "stars")]

    already = [0]
    parcels, stars = thinned(noon, 700)
    assert parcels == stars and max(parcels) == 365 * DAY
    assert [age for age in parcels if age <= DAY] == [number * 10 * MINUTE for number in range(144, -1, -1)]
    month = [age for age in parcels if DAY < age <= 30 * DAY]
    assert len(month) == 29 * 24 and {(noon - age).minute for age in month} == {0}
    year = [age for age in parcels if age > 30 * DAY]
    assert len({(noon - age).date() for age in year}) == len(year) and len(year) >= 335
    assert thinned(noon, 50) == [parcels, stars]
    later, _ = thinned(noon + 10 * DAY, 700)
    assert set(later) < set(parcels) and len([age for age in later if 20 * DAY < age <= 30 * DAY]) == 10
    assert len([age for age in later if age < 20 * DAY]) == 20 * 24


def test_what_is_counted_as_old_can_be_none(state: State) -> None:
    save(state)
    assert [go(state, walk, 5) for walk in item_old.walks(NOW + SECOND)] == [[], [], [], []]
