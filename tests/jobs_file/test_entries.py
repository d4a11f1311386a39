"""One entry by itself: its keys, its schedule, and the arguments of its function."""

from pathlib import Path

import pytest

from janitor.jobs_file.loading import load
from tests.jobs_file.files import CRAWL, JOB, REPORT, clock, loaded, mistakes, write


def test_a_function_that_declares_settings_gets_them(tmp_path: Path) -> None:
    scheduler = clock(LEASE_SECONDS="7")
    text = REPORT + "  - {id: b, function: 'FUNCTIONS:crawl', args: [garden]}\n"
    jobs = load(write(tmp_path, text), scheduler).jobs
    assert jobs["a"].kwargs == {"settings": scheduler.settings}
    assert jobs["b"].kwargs == {}


def test_an_entry_may_give_the_settings_itself(tmp_path: Path) -> None:
    assert loaded(tmp_path, REPORT + "    kwargs: {settings: own}\n").jobs["a"].kwargs == {"settings": "own"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (JOB + "    tiemout: 5\n", "jobs.yaml:4: job a: tiemout: there is no such key; did you mean 'timeout'?"),
        ("jobs:\n  - function: FUNCTIONS:skips\n", "jobs.yaml:2: job number 1: id: it is missing"),
        ("jobs:\n  - id: a\n", "jobs.yaml:2: job a: function: it is missing"),
        (
            CRAWL + "    args: [a, 1, 2]\n",
            "jobs.yaml:4: job a: args: tests.jobs_file.files:crawl(site: str, pages: int = 3)",
        ),
        (CRAWL, "jobs.yaml:3: job a: function: tests.jobs_file.files:crawl(site: str, pages: int = 3) ->"),
        (CRAWL + "    kwargs: {site: a, pgaes: 1}\n", "refuses them: got an unexpected keyword argument 'pgaes'"),
        (REPORT + "    kwargs: {part: 1}\n", "refuses them: got an unexpected keyword argument 'part'"),
        (JOB + "    schedule: evry 5m\n", "jobs.yaml:4: job a: schedule: it is 'evry 5m': give 'every' and a number"),
        (JOB + "    schedule: at noon\n", "jobs.yaml:4: job a: schedule: it is 'at noon': give 'every' and a number"),
        (JOB + "    schedule: after\n", "'after' runs a job after its dependencies, and it has none: name them"),
        (CRAWL + "    args:\n      - !result b\n", "jobs.yaml:5: job a: args or kwargs: '!result b' needs b among the"),
    ],
)
def test_a_mistake_of_an_entry_has_its_line_and_key(tmp_path: Path, text: str, said: str) -> None:
    found = mistakes(tmp_path, text)
    assert any(said in line for line in found), found


def test_refused_arguments_are_told_once(tmp_path: Path) -> None:
    # Without the arguments the function would refuse the call too.
    assert mistakes(tmp_path, CRAWL + "    args: 1\n") == [
        "jobs.yaml:4: job a: args: it is 1: give a list, such as [1, two]"
    ]
