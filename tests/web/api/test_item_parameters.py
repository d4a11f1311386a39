"""What requests about items may say."""

from typing import get_args

from janitor.state.item_wanted import OF_ITEMS, OF_STEPS
from janitor.web.api.item_parameters import Meant, StateName
from janitor.web.pages.items import STATES


def test_every_state_can_be_asked_for() -> None:
    assert set(get_args(StateName)) == set(STATES) == OF_ITEMS.keys() | OF_STEPS.keys()


def test_a_key_with_a_star_at_its_end_is_the_beginning_of_keys() -> None:
    assert meant(key="a*b").is_one and not meant(key="ab*").is_one
    assert meant(key="ab").wanted("p").is_whole and meant(key="ab*").wanted("p").key == "ab*"
    assert meant(key="*", state="failed").wanted("p").told() == "state 'failed', key '*'"


def meant(**given: str) -> Meant:
    """What a body means."""
    return Meant.model_validate(given)
