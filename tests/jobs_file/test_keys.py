"""How each key's value is read: as a job takes it, or refused with what would be right."""

from pathlib import Path
from typing import Any

import pytest

from janitor.jobs_file.keys import KEYS, MOST_GUESSES, PIPELINE_KEYS, STEP_KEYS, no_such_key
from janitor.jobs_file.mistakes import Wrong
from tests.jobs_file.files import JOB, mistakes


@pytest.mark.parametrize(
    ("key", "written", "taken"),
    [
        ("id", "a.b-c_9", "a.b-c_9"),
        ("args", [1, [2]], (1, [2])),
        ("timeout", 90, 90.0),
        ("timeout", "10m", 600.0),
        ("timeout", "1.5 H", 5400.0),
        ("retries", 0, 0),
        ("tags", ["web", "daily"], ("web", "daily")),
        ("isolation", "process", "process"),
    ],
)
def test_a_value_becomes_what_a_job_takes(key: str, written: Any, taken: Any) -> None:
    found = KEYS[key](written)
    assert found == taken and type(found) is type(taken)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("id", "a" * 65, "give up to 64 letters"),
        ("id", "-a", "give up to 64 letters"),
        ("title", True, "it is True: give a text; in YAML a text such as 'True' wants quotes"),
        ("schedule", 5, "it is 5: give 'every' and a number"),
        ("schedule", 870, "it is 870: write a time of day in quotes, such as '14:30'"),
        ("kwargs", {1: "a"}, "give names and values, such as"),
        ("timeout", float("inf"), "give a number of seconds above 0"),
        ("timeout", "0s", "it is '0s': give a number of seconds above 0, or a length such as 10m"),
        ("timeout", "10 minutes", "it is '10 minutes': give a number of seconds above 0, or a length such as 10m"),
        ("timeout", 10**400, "give a number of seconds above 0, or a length such as 10m"),
        ("timeout", "9" * 400 + "d", "give a number of seconds above 0, or a length such as 10m"),
        ("timeout", True, "it is True: give a number of seconds above 0"),
        ("retries", True, "it is True: give a whole number, 0 or more"),
        ("retries", 1.5, "it is 1.5: give a whole number, 0 or more"),
        ("tags", ["web", ""], "give a list of texts"),
        ("dependencies", ["b", "c", "b"], "it names b twice: keep one"),
    ],
)
def test_a_value_that_a_job_cannot_take_is_refused(key: str, value: Any, said: str) -> None:
    with pytest.raises(Wrong) as caught:
        KEYS[key](value)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "key", "value", "said"),
    [
        (STEP_KEYS, "workers", 0, "give a whole number, 1 or more"),
        (STEP_KEYS, "failed", "a" * 65, "give a status, a text of up to 64 characters"),
        (STEP_KEYS, "record", "none", "give batch or each"),
        (PIPELINE_KEYS, "keep_days", float("nan"), "give a number above 0"),
        (PIPELINE_KEYS, "keep_days", "3d", "give a number above 0"),
        (PIPELINE_KEYS, "on_duplicate", [], "give reply or ignore or change or anew"),
    ],
)
def test_a_value_that_a_pipeline_cannot_take_is_refused(keys: Any, key: str, value: Any, said: str) -> None:
    with pytest.raises(Wrong) as caught:
        keys[key](value)
    assert said in str(caught.value)


def test_an_unknown_key_is_told_with_the_key_that_is_meant() -> None:
    assert no_such_key("tiemout", KEYS) == "there is no such key; did you mean 'timeout'?"
    assert no_such_key("zzz", ("a", "b")) == "there is no such key; the keys are a, b"
    assert no_such_key("tiemout", KEYS, MOST_GUESSES).startswith("there is no such key; the keys are id, ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("jobs:\n  - id: 7\n    function: FUNCTIONS:skips\n", "in YAML a text such as '7' wants quotes"),
        (JOB + "    schedule: 14:05\n", "jobs.yaml:4: job a: schedule: it is 845: write a time of day in quotes"),
        (JOB + "    args: 1\n", "jobs.yaml:4: job a: args: it is 1: give a list, such as [1, two]"),
        (JOB + "    kwargs: [1]\n", "jobs.yaml:4: job a: kwargs: it is [1]: give names and values"),
        (JOB + "    enabled: 'yes'\n", "jobs.yaml:4: job a: enabled: it is 'yes': give true or false"),
        (JOB + "    timeout: 0\n", "jobs.yaml:4: job a: timeout: it is 0: give a number of seconds above 0"),
        (JOB + "    retries: -1\n", "jobs.yaml:4: job a: retries: it is -1: give a whole number, 0 or more"),
        (JOB + "    catch_up: all\n", "jobs.yaml:4: job a: catch_up: it is 'all': give last or none"),
        (JOB + "    isolation: vm\n", "jobs.yaml:4: job a: isolation: it is 'vm': give thread or process"),
        (JOB + "    tags: web\n", "jobs.yaml:4: job a: tags: it is 'web': give a list of texts"),
        (JOB + "    protect: 1\n", "jobs.yaml:4: job a: protect: it is 1: give true or false"),
    ],
)
def test_a_refused_value_is_told_with_line_and_key(tmp_path: Path, text: str, said: str) -> None:
    found = mistakes(tmp_path, text)
    assert any(said in line for line in found), found
