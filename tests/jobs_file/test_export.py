"""From jobs to a jobs file: what it says, and what it cannot say."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.interval import IntervalTrigger

from janitor.jobs import Result
from janitor.jobs_file.export import export
from janitor.jobs_file.loading import load
from tests.jobs_file.files import CRAWL, HERE, clock, crawl, skips, write

B = "  - {id: b, function: 'FUNCTIONS:skips'}\n"


def exported(func: Callable[..., object] = skips, **options: Any) -> str:
    """Export a clock with one job, `a`, which runs each hour if the options give no other schedule."""
    scheduler = clock()
    scheduler.add_job(func, id="a", **{"trigger": IntervalTrigger(hours=1), **options})
    return "".join(export(scheduler.jobs.values(), scheduler.settings))


def test_only_what_differs_from_the_defaults_is_written() -> None:
    text = exported(crawl, args=["garden"], retries=2)
    assert yaml.safe_load(text) == {
        "jobs": [
            {"id": "a", "function": f"{HERE}:crawl", "args": ["garden"], "schedule": "every 1h", "retries": 2},
        ]
    }


def test_results_and_dates_come_back_as_they_were(tmp_path: Path) -> None:
    jobs = load(write(tmp_path, CRAWL + "    args: [!result b, 2026-03-01]\n    dependencies: [b]\n" + B), clock()).jobs
    text = "".join(export(jobs.values(), clock().settings))
    again = load(write(tmp_path, text, "copy.yaml"), clock()).jobs
    assert again["a"].args == (Result("b"), date(2026, 3, 1)) and again["a"].dependencies == ("b",)


@pytest.mark.parametrize(
    "text",
    ["{{ x }}", "{% if", "{# a #}", "a\n  {{ b }}\nc\n", "{% raw %}{% endraw %}", "a\n   {%- endraw %}\nb\n", "é: - #"],
)
def test_a_text_is_the_same_after_jinja_and_yaml(tmp_path: Path, text: str) -> None:
    (tmp_path / "copy.yaml").write_text(exported(crawl, args=[text]), encoding="utf-8")
    assert load(tmp_path / "copy.yaml", clock()).jobs["a"].args == (text,)


def test_a_comment_stands_for_what_a_file_cannot_hold() -> None:
    twice = OrTrigger([IntervalTrigger(hours=1), IntervalTrigger(hours=5)])
    text = exported(lambda value: None, args=[object()], trigger=twice)
    comments = [line.strip() for line in text.splitlines() if line.strip().startswith("#")]
    assert [comment.split(": ", 2)[:2] for comment in comments] == [
        ["# a", "function cannot be written"],
        ["# a", "args cannot be written"],
        ["# a", "schedule cannot be written"],
    ]
    assert comments[1].endswith("it holds more than texts, numbers, dates, lists and mappings")
    assert comments[2].endswith("has no words in a jobs file")
    assert yaml.safe_load(text) == {"jobs": [{"id": "a"}]}


@pytest.mark.parametrize("more", ["", "{{ braces }}", "{% raw %}{% endraw %}"])
def test_what_came_from_the_environment_is_written_as_that(tmp_path: Path, more: str) -> None:
    scheduler, key = clock(AWS_KEY="wJalrXUtnFEMI+/x", NOTE=more), "'{{ env(\"AWS_KEY\") }} and more'"
    text = CRAWL + f"    args: [{key}]\n    notes: with {{{{ env('AWS_KEY') }}}}\n"
    jobs = load(write(tmp_path, text), scheduler).jobs
    jobs["a"] = replace(jobs["a"], kwargs={"pages": more} if more else {})
    written = "".join(export(jobs.values(), scheduler.settings))
    assert "wJalrXUtnFEMI" not in written and 'env("AWS_KEY")' in written and "notes: with ***" in written
    again = load(write(tmp_path, written, "copy.yaml"), clock(AWS_KEY="another")).jobs["a"]
    assert again.args == ("another and more",) and again.kwargs == ({"pages": more} if more else {})


def test_a_secret_that_yaml_writes_otherwise_is_masked() -> None:
    settings = clock(WORD="it's: a 'word'").settings
    settings.keep_secret("WORD", "it's: a 'word'")
    scheduler = clock()
    scheduler.add_job(crawl, args=["it's: a 'word'", "x" * 70 + " it's: a 'word'"], id="a")
    assert "word" not in "".join(export(scheduler.jobs.values(), settings))
