"""Taking a dead letter's message once more: what stands in the way of it is told, and nothing is done then."""

from pathlib import Path

import pytest

from janitor.errors import JanitorError
from janitor.state import item_letters
from janitor.web.queries.known_pipelines import KnownPipeline, known
from janitor.web.queries.letters import letter_of
from janitor.web.taking import take_again
from tests.web import parcel_house


@pytest.mark.parametrize(
    ("inbox", "message", "is_here", "said"),
    [
        ("desk", '{"key": "L1"}', True, ""),
        ("desk", '{"key": "L1", "token": "***"}', True, "was cut, or is secret"),
        ("gone", '{"key": "L1"}', True, "the inbox gone of parcels is gone"),
        ("desk", '{"key": "L1"}', False, "the pipeline parcels is gone"),
    ],
)
def test_a_message_is_taken_if_nothing_stands_in_the_way(
    tmp_path: Path, inbox: str, message: str, is_here: bool, said: str
) -> None:
    with parcel_house.standing(tmp_path) as house:
        now = house.desk.now()
        with house.state.begin() as connection:
            item_letters.add(connection, "parcels", inbox, "late", message, len(message), None, now)
            one = known(connection, house.desk.jobs, "parcels")
            line = letter_of(connection, "parcels", 4)
        assert one is not None and line is not None
        one = one if is_here else KnownPipeline(one.plan, None)
        if said:
            with pytest.raises(JanitorError, match=said):
                take_again(house.state, one, line, "anna", now)
        else:
            assert take_again(house.state, one, line, "anna", now).is_item
        with house.state.read() as connection:
            assert (letter_of(connection, "parcels", 4) is None) is (said == "")
        assert (house.item("L1") is not None) is (said == "")
