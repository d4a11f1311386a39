"""Dead letters, page by page."""

from janitor.runs import bounds
from janitor.state import State, item_letters
from janitor.web.queries.letters import letter_list, letter_of, letters_of
from tests.state.parcels import NOW
from tests.web.queries.past import ask


def fill(state: State) -> None:
    """Five letters of parcels, the second of which is dropped, and one of others."""
    with state.begin() as connection:
        for number in range(5):
            item_letters.add(connection, "parcels", "desk", f"reason {number}", "x" * 3_000, 3_000, None, NOW)
        item_letters.add(connection, "others", "desk", "odd", "{}", 2, "DN1", NOW)
        item_letters.drop(connection, [2], "anna", NOW)


def test_letters_come_in_pages_and_dropped_letters_do_not(state: State) -> None:
    fill(state)
    first = ask(state, letter_list, "parcels", 3)
    assert ([one.id for one in first.letters], first.count, first.next_after) == ([5, 4, 3], 4, 3)
    last = ask(state, letter_list, "parcels", 3, first.next_after)
    assert ([one.reason for one in last.letters], last.next_after) == (["reason 0"], None)
    assert len(last.letters[0].message) == 2_002 and last.letters[0].is_whole
    assert ask(state, letter_list, "nobody", 3).count == 0


def test_a_letter_is_found_in_its_own_pipeline_until_it_is_dropped(state: State) -> None:
    fill(state)
    found = [ask(state, letter_of, "parcels", letter) for letter in (1, 2, 6, 99)]
    assert [one and one.id for one in found] == [1, None, None, None]
    assert ask(state, letters_of, "parcels", [6, 3, 2, 99]) == [2, 3]


def test_a_message_that_was_cut_cannot_be_taken_again(state: State) -> None:
    with state.begin() as connection:
        text = "x" * (bounds.TRACEBACK + 1)
        item_letters.add(connection, "parcels", "desk", "too large", text, len(text), None, NOW)
        item_letters.add(connection, "parcels", "desk", "odd", '{"token": "***"}', 20, None, NOW)
    assert [one.is_whole for one in ask(state, letter_list, "parcels", 9).letters] == [False, False]
