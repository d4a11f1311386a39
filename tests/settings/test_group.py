"""A group of settings: what is read, and the sentence that refuses a bad value."""

from typing import Literal

import pytest
from pydantic import Field, ValidationError

from janitor.errors import MOST_REPEATED, BadSetting
from janitor.settings.group import SettingsGroup
from janitor.settings.settings import Settings
from janitor.tasks import labware_location, sequencing_publisher
from tests.settings.lab import SECRET, load, refused

GROUPS = (Settings, labware_location.LabwareLocationSettings, sequencing_publisher.SequencingPublisherSettings)


class Given(SettingsGroup):
    """One field of each kind."""

    days: int = Field(default=3, ge=1, le=9)
    seconds: float = Field(default=1.0, gt=0, lt=60, allow_inf_nan=False)
    form: Literal["text", "json"] = "text"
    shown: bool = False
    title: str = Field(default="Janitor", min_length=2)
    rows: int = Field(default=1_000_000, ge=1_000_000, le=12_345_678)
    share: float = Field(default=0.5, ge=0.05)


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
        ("ROWS", "1", "give 1000000 or more"),
        ("ROWS", "12345679", "give 12345678 or less"),
        ("SHARE", "0", "give 0.05 or more"),
        ("DAYS", "9" * 5000, "give a whole number of fewer digits"),
        ("TITLE", "J", "give a text of 2 characters or more"),
    ],
)
def test_a_refusal_says_what_would_be_right(name: str, value: str, right: str) -> None:
    with pytest.raises(BadSetting) as raised:
        Given.read({name: value})
    shown = value if len(value) <= MOST_REPEATED else f"{value[:MOST_REPEATED]}..."
    assert str(raised.value) == f"{name} is {shown!r}: {right}"


@pytest.mark.parametrize("value", ["?", "-1", "1e300", "nan", "x" * 5000, "9" * 5000])
def test_no_setting_is_refused_in_the_words_of_pydantic(value: str) -> None:
    for group in GROUPS:
        for name in group.variables():
            try:
                group.read({name: value})
            except BadSetting as refused:
                assert "should" not in refused.expected and "parse" not in refused.expected, str(refused)[:300]


def test_what_is_not_given_keeps_its_default() -> None:
    assert Given.read({"DAYS": "4", "OTHER": "x"}) == Given(days=4)


def test_each_field_is_one_variable_in_upper_case() -> None:
    assert list(Given.variables()) == ["DAYS", "SECONDS", "FORM", "SHOWN", "TITLE", "ROWS", "SHARE"]
    assert Given.variables()["DAYS"].default == 3


def test_a_group_that_was_read_is_frozen() -> None:
    read = Given.read({"DAYS": "4"})
    with pytest.raises(ValidationError):
        read.days = 5
    assert read.days == 4


def test_a_refusal_names_the_variable_with_its_prefix() -> None:
    with pytest.raises(BadSetting, match="^NIGHTLY_DAYS is '0': give 1 or more$"):
        Given.read({"DAYS": "0"}, "NIGHTLY_")


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("HISTORY_DAYS", "0", "give 1 or more"),
        ("HISTORY_RUNS", "many", "give a whole number"),
        ("LEASE_SECONDS", "61", "give 60 or less"),
        ("GRACE_SECONDS", "-1", "give 0 or more"),
        ("STATEMENT_TIMEOUT_SECONDS", "0", "give a number over 0"),
        ("STATEMENT_TIMEOUT_SECONDS", "inf", "give a number"),
        ("CONNECT_TIMEOUT_SECONDS", "nan", "give a number"),
        ("LOG_LEVEL", "LOUD", "give DEBUG, INFO, WARNING or ERROR"),
        ("LOG_FORMAT", "xml", "give text or json"),
        ("RABBITMQ_PORT", "70000", "give 65535 or less"),
        ("RABBITMQ_TLS", "perhaps", "give true or false"),
        ("LAB_TIMEZONE", "Europe/Lundun", "Europe/London"),
        ("SCHEDULE_TIMEZONE", "../etc/passwd", "Europe/London"),
        ("LAB_SINCE", "21/08/2023", "YYYY-MM-DD"),
        ("LAB_ENCODING", "xml", "give binary or json"),
        ("LAB_GROUP_SIZE", "0", "give 1 or more"),
    ],
)
def test_a_bad_value_is_named_with_what_is_right(name: str, value: str, right: str) -> None:
    text = refused(**{name: value})
    assert text.startswith(f"{name} is {value!r}: ")
    assert right in text


def test_a_bad_secret_is_not_repeated() -> None:
    with pytest.raises(BadSetting) as caught:
        load(RABBITMQ_USERNAME="me", RABBITMQ_PASSWORD=SECRET, RABBITMQ_PORT="x")
    assert SECRET not in str(caught.value) and SECRET not in repr(caught.value.__cause__)
