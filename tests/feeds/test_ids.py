"""Sets of ids: they hold what a plain set holds, whatever the ids; size and speed follow how many there are."""

from hypothesis import given
from hypothesis import strategies as st

from janitor.feeds.ids import HIGHEST, LOWEST, MOST_PARTS, Ids

SIGNED, UNSIGNED = st.integers(LOWEST, 2**63 - 1), st.integers(0, HIGHEST)
NEAR = st.integers(-40, 40)
EDGES = st.sampled_from([range(LOWEST, LOWEST + 30), range(2**63 - 30, 2**63 + 30), range(HIGHEST - 30, HIGHEST + 1)])


@given(st.one_of(*(st.sets(kind) for kind in (SIGNED, UNSIGNED, NEAR))), st.data())
def test_it_holds_what_a_plain_set_holds(ids: set[int], data: st.DataObject) -> None:
    some = {id for id in ids if data.draw(st.booleans())}
    made = Ids().plus(some).plus(ids)
    assert list(made) == sorted(ids) and len(made) == len(ids) and all(id in made for id in ids)
    assert made.highest == max(ids, default=None)
    assert Ids.load(made.dump()) == made
    for id in [*ids, 0, 5]:
        assert list(made.above(id)) == sorted(other for other in ids if other > id)
        assert (id + 1 in made) == (id + 1 in ids)


@given(EDGES.flatmap(lambda edge: st.sets(st.sampled_from(edge))), st.integers(0, 30))
def test_the_gaps_are_what_is_not_there(ids: set[int], distance: int) -> None:
    lowest = min(ids, default=0)
    start = max(LOWEST - 1, lowest - distance)
    missing = [id for first, last in Ids().plus(ids).gaps_above(start) for id in range(first, last + 1)]
    assert missing == [id for id in range(start + 1, max(ids, default=start) + 1) if id not in ids]


def test_ids_far_apart_take_little_room() -> None:
    # Given: ids with a time in their upper bits, one a second for a day.
    # What happens: the set is written, and its gaps are looked for.
    # What must hold: there are as many gaps as ids, and the text has a few bytes for each id.
    day = [(1_700_000_000_000 + 1_000 * second) << 22 for second in range(86_400)]
    made = Ids().plus(day)
    assert len(made.dump()) < 6 * len(day)
    assert sum(1 for _ in made.gaps_above(0)) == len(day)
    assert not made.is_large


def test_a_set_with_too_many_parts_is_large() -> None:
    made = Ids().plus(number << 16 for number in range(MOST_PARTS + 1))
    assert made.is_large and len(made.above(made.middle)) == MOST_PARTS // 2
    assert not Ids().plus(range(10 * MOST_PARTS)).is_large


def test_a_set_of_an_earlier_release_is_read() -> None:
    saved = "AQAAAAAAAAAAAAAAOjAAAAEAAAAAAAEAEAAAAAMACgA="
    assert list(Ids.load(saved)) == [3, 10]
