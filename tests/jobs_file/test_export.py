"""From jobs to a jobs file: what it says, and what it cannot say."""

import functools
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.interval import IntervalTrigger
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from janitor.jobs import Result
from janitor.jobs_file.export import export
from janitor.jobs_file.loading import load
from tests.jobs_file.files import CRAWL, HERE, clock, crawl, report, skips, write
from tests.random_inputs import inputs

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
    written = "".join(export(scheduler.jobs.values(), settings))
    assert "word" not in written and "  # a: a secret cannot be written: *** stands in its place\n" in written


def test_what_a_file_makes_of_a_secret_is_not_exported(tmp_path: Path) -> None:
    scheduler = clock(KEY="wJalrXUtnFEMI")
    text = CRAWL + "    kwargs: {pages: \"{{ env('KEY') }}\", site: \"{{ env('KEY') | upper }}\"}\n"
    written = "".join(export(load(write(tmp_path, text), scheduler).jobs.values(), scheduler.settings))
    assert "FEMI" not in written and 'pages: {{ env("KEY") }}' in written and "site: ***" in written


def test_arguments_keep_their_order(tmp_path: Path) -> None:
    scheduler = clock()
    scheduler.add_job(told, "by hand", id="a", kwargs={"pages": 1, "garden": 2, "at": {"z": 1, "b": 2}})
    copy = again(tmp_path, "".join(export(scheduler.jobs.values(), scheduler.settings)))
    assert copy.kwargs == {"pages": 1, "garden": 2, "at": {"z": 1, "b": 2}}


def again(folder: Path, text: str) -> Any:
    """The job `a` of an exported file."""
    path = folder / "copy.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path, clock()).jobs["a"]


def called(job: Any) -> Any:
    """What a job returns, called as a run calls it."""
    return job.func(*job.args, **job.kwargs)


def told(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
    """Return what it is called with."""
    return args, kwargs


def test_a_partial_function_is_exported_with_its_arguments(tmp_path: Path) -> None:
    """Given partial functions of several kinds. Each is exported, and loaded again. The copy is called alike."""
    nested = functools.partial(functools.partial(told, 1, k=2), 3, k=4, m=5)
    for func, options in (
        (functools.partial(told, "garden", pages=5), {}),
        (nested, {"args": [6], "kwargs": {"m": 7}}),
        (functools.partial(told), {"args": [1]}),
    ):
        scheduler = clock()
        scheduler.add_job(func, "by hand", id="a", **options)
        assert called(again(tmp_path, exported(func, **options))) == called(scheduler.jobs["a"])


def test_settings_within_a_partial_function_are_left_out(tmp_path: Path) -> None:
    job = again(tmp_path, exported(functools.partial(report, 1, settings=clock().settings)))
    assert called(job) == [1, job.kwargs["settings"].lease_seconds]


class Robot:
    """Something with methods."""

    def move(self) -> str:
        return "moved"

    @classmethod
    def make(cls) -> str:
        return "made"

    def __call__(self) -> str:
        return "called"


def doubled(func: Callable[..., object]) -> Callable[..., object]:
    """A decorator."""

    @functools.wraps(func)
    def twice(*args: Any, **kwargs: Any) -> object:
        return func(*args, **kwargs), func(*args, **kwargs)

    return twice


@pytest.mark.parametrize("func", [Robot().move, Robot(), doubled(skips), functools.partial(doubled(skips))])
def test_what_a_name_does_not_lead_to_is_told(func: Callable[..., object]) -> None:
    text = exported(func)
    assert "# a: function cannot be written: " in text and "function" not in yaml.safe_load(text)["jobs"][0]


def test_a_method_of_a_class_has_a_name(tmp_path: Path) -> None:
    assert called(again(tmp_path, exported(Robot.make))) == "made"


ODD = (
    "",
    " ",
    "\n",
    "a\n",
    "a\n\n\nb\n\n",
    "  a\nb\n",
    "a \nb",
    "\ta\n",
    "a\n\tb",
    "a\r\nb\r",
    "a\x85b\u2028c\u2029d\n",
    "\x0b\x0c\x1c\n",
    "\ufeffa\nb",
    "a\nb\x07\x00",
    "# Title\n\n    code\n\n- {{ list }}\n{% raw %}\n",
    "---\n...\n",
    "{#\n#}\n",
    "a\n   {%- endraw -%}\n b\n",
    "null",
    "2026-03-01",
    "\u202e\U0001f600\n\ud7ff",
    "a: b # c\n",
    "x" * 500 + "\ny",
)


@pytest.mark.parametrize("notes", ODD)
def test_odd_notes_come_back_as_they_were(tmp_path: Path, notes: str) -> None:
    assert again(tmp_path, exported(notes=notes, title=notes)).notes == notes


@settings(max_examples=inputs(300), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(notes=st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="{"), max_size=30))
def test_any_notes_come_back_as_they_were(tmp_path: Path, notes: str) -> None:
    assert again(tmp_path, exported(notes=notes)).notes == notes


def test_half_a_character_is_told() -> None:
    text = exported(notes="half of \ud800\nit")
    assert "# a: notes cannot be written" in text and text.encode()


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates() | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=inputs(300), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=json_like)
def test_arguments_come_back_as_they_were_or_are_told(tmp_path: Path, value: Any) -> None:
    text = exported(told, args=[value])
    if "{{" in text or "{%" in text or "{#" in text:
        return  # that it goes through Jinja is tried above, and takes a process
    job = again(tmp_path, text)
    assert "# a: args cannot be written" in text or repr(called(job)) == repr(((value,), {}))


@pytest.mark.parametrize("value", [(1, 2), [(1,)], Decimal("1.10"), time(1, 30), {1, 2}, {(1, 2): 3}, OrderedDict(a=1)])
def test_what_would_come_back_as_another_value_is_told(tmp_path: Path, value: Any) -> None:
    text = exported(told, args=[value])
    assert "# a: args cannot be written" in text or called(again(tmp_path, text)) == ((value,), {})
    assert "Traceback" not in text
