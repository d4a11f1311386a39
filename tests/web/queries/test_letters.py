"""Dead letters, page by page."""

from sqlalchemy import select

from janitor.runs import bounds
from janitor.state import State, item_letters
from janitor.state.item_tables import item_letters as letters
from janitor.web.queries.letters import letter_list, letter_of, letters_of
from tests.state.parcels import NOW
from tests.web.queries.past import ask


def fill(state: State) -> list[int]:
    """Five letters of parcels, the second of which is dropped, and one of others; the ids of all."""
    with state.begin() as connection:
        for number in range(5):
            item_letters.add(connection, "parcels", "desk", f"reason {number}", "x" * 3_000, 3_000, None, NOW)
        item_letters.add(connection, "others", "desk", "odd", "{}", 2, "DN1", NOW)
        ids = list(connection.execute(select(letters.c.id).order_by(letters.c.id)).scalars())
        item_letters.drop(connection, [ids[1]], "anna", NOW)
    return ids


def test_letters_come_in_pages_and_dropped_letters_do_not(state: State) -> None:
    ids = fill(state)
    first = ask(state, letter_list, "parcels", 3)
    assert ([one.id for one in first.letters], first.count) == ([ids[4], ids[3], ids[2]], 4)
    assert first.next_after == ids[2]
    last = ask(state, letter_list, "parcels", 3, first.next_after)
    assert ([one.reason for one in last.letters], last.next_after) == (["reason 0"], None)
    assert len(last.letters[0].message) == 2_002 and last.letters[0].is_whole
    assert ask(state, letter_list, "nobody", 3).count == 0


def test_a_letter_is_found_in_its_own_pipeline_until_it_is_dropped(state: State) -> None:
    ids = fill(state)
    gone = ids[5] + 99
    found = [ask(state, letter_of, "parcels", letter) for letter in (ids[0], ids[1], ids[5], gone)]
    assert [one and one.id for one in found] == [ids[0], None, None, None]
    assert ask(state, letters_of, "parcels", [ids[5], ids[2], ids[1], gone]) == [ids[1], ids[2]]


def test_a_message_that_was_cut_cannot_be_taken_again(state: State) -> None:
    with state.begin() as connection:
        text = "x" * (bounds.TRACEBACK + 1)
        item_letters.add(connection, "parcels", "desk", "too large", text, len(text), None, NOW)
        item_letters.add(connection, "parcels", "desk", "odd", '{"token": "***"}', 20, None, NOW)
    assert [one.is_whole for one in ask(state, letter_list, "parcels", 9).letters] == [False, False]
