"""A group of settings: what is read, and the sentence that refuses a bad value."""

from typing import Literal

import pytest
from pydantic import Field

from janitor.errors import BadSetting
from janitor.settings.group import SettingsGroup
from janitor.settings.settings import Settings
from janitor.tasks import labware_location, sequencing_publisher

GROUPS = (Settings, labware_location.LabwareLocationSettings, sequencing_publisher.SequencingPublisherSettings)


class Given(SettingsGroup):
    """One field of each kind."""

    days: int = Field(default=3, ge=1, le=9)
    seconds: float = Field(default=1.0, gt=0, lt=60, allow_inf_nan=False)
    form: Literal["text", "json"] = "text"
    shown: bool = False
    title: str = Field(default="Janitor", min_length=2)


@pytest.mark.parametrize(
    "name, value, right",
    [
        ("DAYS", "soon", "give a whole number"),
        ("DAYS", "1.5", "give a whole number"),
        ("DAYS", "0", "give 1 or more"),
        ("DAYS", "10", "give 9 or less"),
        ("SECONDS", "soon", "give a number"),
        ("SECONDS", "nan", "give a number"),
        ("SECONDS", "0", "give a number over 0"),
        ("SECONDS", "60", "give a number under 60"),
        ("FORM", "loud", "give text or json"),
        ("SHOWN", "perhaps", "give true or false"),
        ("TITLE", "J", "give a text of 2 characters or more"),
    ],
)
def test_a_refusal_says_what_would_be_right(name: str, value: str, right: str) -> None:
    with pytest.raises(BadSetting) as raised:
        Given.read({name: value})
    assert str(raised.value) == f"{name} is {value!r}: {right}"


@pytest.mark.parametrize("value", ["?", "-1", "1e300", "nan", "x" * 5000])
def test_no_setting_is_refused_in_the_words_of_pydantic(value: str) -> None:
    for group in GROUPS:
        for name in group.variables():
            try:
                group.read({name: value})
            except BadSetting as refused:
                assert "should" not in refused.expected and "parse" not in refused.expected, str(refused)[:300]


def test_what_is_not_given_keeps_its_default() -> None:
    assert Given.read({"DAYS": "4", "OTHER": "x"}) == Given(days=4)
