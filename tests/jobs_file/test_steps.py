"""Steps of a pipeline: made of their keys, and what is wrong with each by itself and with all together."""

from pathlib import Path
from typing import Any

import pytest

from janitor.items import Forward, Step
from janitor.tasks import labware_location
from tests.jobs_file import pipes
from tests.jobs_file.pipes import PIPE, STEP, jobs, mistakes, pipeline

WHOLE = """
        failed: no host
        retries: 3
        timeout: 10m
        workers: 4
        isolation: process
        items_per_child: 5
        schedule: every 5m
        enabled: false
        record: each
        cleanup: PIPES:clean
        title: First
        notes: Some notes
        tags: [x, y]
        protect: true
"""
CHAIN = (
    PIPE + "      b: {function: PIPES:well, needs: NEEDS}\n      c: {function: PIPES:well, needs: [b], failed: lost}\n"
)
"""Three steps, and the needs of the second are still to be written."""


def test_every_key_of_a_step_is_taken_over(tmp_path: Path) -> None:
    (step,) = pipeline(tmp_path, STEP + WHOLE[1:]).steps
    assert step == Step(
        "a",
        pipes.well,
        failed="no host",
        retries=3,
        timeout=600.0,
        workers=4,
        isolation="process",
        items_per_child=5,
        schedule="every 5m",
        enabled=False,
        record="each",
        cleanup=pipes.clean,
        title="First",
        notes="Some notes",
        tags=("x", "y"),
        protect=True,
    )


def test_a_step_has_the_defaults_of_a_step(tmp_path: Path) -> None:
    (step,) = pipeline(tmp_path, PIPE).steps
    assert step == Step("a", pipes.well)


@pytest.mark.parametrize(
    ("written", "needed"),
    [
        ("[a]", {"a": "processed"}),
        ("{a: processed}", {"a": "processed"}),
        ("{a: lost}", {"a": "lost"}),
        ("{a: 'time limit exceeded'}", {"a": "time limit exceeded"}),
        ("[]", {}),
    ],
)
def test_needs_are_steps_or_steps_with_statuses(tmp_path: Path, written: str, needed: dict[str, str]) -> None:
    assert pipeline(tmp_path, CHAIN.replace("NEEDS", written)).step("b").needed == needed


def test_a_step_has_the_needs_of_its_functions_module(tmp_path: Path) -> None:
    text = PIPE.replace("PIPES:well", "'janitor.tasks.labware_location.sync:follow'")
    assert pipeline(tmp_path, text).steps[0].requires == tuple(labware_location.NEEDS)
    assert list(jobs(tmp_path, text)["p.a"].needs) == list(labware_location.NEEDS)


def test_a_step_may_forward_or_be_an_object(tmp_path: Path) -> None:
    text = PIPE.replace("{function: PIPES:well}", "{forward: {url: 'http://compute:4000', tries: 2}}")
    assert pipeline(tmp_path, text).steps[0].func == Forward("http://compute:4000", tries=2, name="a")
    for use in ("Forward", "'janitor.items:Forward'"):
        text = PIPE.replace("{function: PIPES:well}", f"{{function: {{use: {use}, url: 'http://compute:4000'}}}}")
        assert pipeline(tmp_path, text).steps[0].func == Forward("http://compute:4000", name="a")
    text = PIPE.replace("PIPES:well", "{use: 'PIPES:Asks', times: 2, name: other}")
    assert pipeline(tmp_path, text).steps[0].func == pipes.Asks(2, name="other")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("        retires: 1\n", "6: pipeline p: steps.a.retires: there is no such key; did you mean 'retries'?"),
        ("        retries: -1\n", "6: pipeline p: steps.a.retries: it is -1: give a whole number, 0 or more"),
        ("        workers: 0\n", "6: pipeline p: steps.a.workers: it is 0: give a whole number, 1 or more"),
        ("        items_per_child: 0\n", "steps.a.items_per_child: it is 0: give a whole number, 1 or more"),
        (
            "        timeout: soon\n",
            "6: pipeline p: steps.a.timeout: it is 'soon': give a number of seconds above 0, or",
        ),
        ("        isolation: vm\n", "6: pipeline p: steps.a.isolation: it is 'vm': give thread or process"),
        ("        record: all\n", "6: pipeline p: steps.a.record: it is 'all': give batch or each"),
        ("        schedule: evry 5m\n", "steps.a.schedule: it is 'evry 5m': give 'with work', 'every 5m', 'cron"),
        ("        schedule: after\n", "steps.a.schedule: it is 'after': give 'with work', 'every 5m', 'cron"),
        ("        schedule: 14:05\n", "steps.a.schedule: it is 845: write a time of day in quotes, such as '14:05'"),
        ("        cleanup: PIPES:no\n", "steps.a.cleanup: it is 'tests.jobs_file.pipes:no': tests.jobs_file.pipes has"),
        ("        failed: processed\n", "steps.a.failed: it is 'processed', of kind ok: give a status of kind error"),
        ("        failed: ''\n", "steps.a.failed: it is '': give a status, a text of up to 64 characters"),
        ("        forward: {url: 'http://x'}\n", "steps.a.forward: it stands beside function: give one of them"),
        ("        needs: a\n", "steps.a.needs: it is 'a': give a list of steps, such as [cutout], or steps with their"),
        ("        needs: [1]\n", "steps.a.needs: it is [1]: give a list of steps, such as"),
        ("        needs: {a: 7}\n", "steps.a.needs.a: it is 7: give a status, a text of up to 64 characters; in YAML"),
        ("        needs: [a]\n", "6: pipeline p: steps.a.needs: they go round in a circle: a -> a; leave one out"),
    ],
)
def test_a_mistake_of_a_step_has_its_line_and_key_path(tmp_path: Path, more: str, said: str) -> None:
    found = mistakes(tmp_path, STEP + more)
    assert any(said in line for line in found), found


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("{}", "steps.a.function: it is missing: give a function as 'package.module:function'"),
        ("{function: skips}", "steps.a.function: it is 'skips': give a function as 'package.module:function'"),
        ("{function: 7}", "steps.a.function: it is 7: give a function"),
        ("{function: 'PIPES:two'}", "refuses an item: missing a required argument: 'other'; give a function of one"),
        ("{forward: 'http://x'}", "steps.a.forward: it is 'http://x': give keys and values, such as {url: 'http"),
        ("{forward: {use: Forward, url: 'http://x'}}", "steps.a.forward.use: there is no such key"),
        ("{forward: {}}", "steps.a.forward.url: it is missing: give the compute worker's address"),
        ("{function: {use: FolderStore, path: a}}", "which is a store and not a step's function: give Forward, or"),
        ("{function: {use: 'PIPES:OwnReply'}}", "which is not a step's function: it has no __call__"),
    ],
)
def test_what_a_step_cannot_call_is_told(tmp_path: Path, step: str, said: str) -> None:
    (found,) = mistakes(tmp_path, PIPE.replace("{function: PIPES:well}", step))
    assert found.startswith("jobs.yaml:4: pipeline p: steps.a.") and said in found


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        ("[z]", "b.needs: there is no step z; the steps are a, b, c"),
        ("{z: processed}", "b.needs.z: there is no step z; the steps are a, b, c"),
        (
            "{a: few}",
            "b.needs.a: no step ends as 'few'; the statuses are "
            "processed, failed, time limit exceeded, expired, lost",
        ),
        ("[c]", "b.needs: they go round in a circle: b -> c -> b; leave one out"),
    ],
)
def test_steps_that_do_not_fit_together_are_told(tmp_path: Path, needs: str, said: str) -> None:
    (found,) = mistakes(tmp_path, CHAIN.replace("NEEDS", needs))
    assert found == f"jobs.yaml:5: pipeline p: steps.{said}"


def test_a_built_in_function_needs_no_signature(tmp_path: Path) -> None:
    (step,) = pipeline(tmp_path, PIPE.replace("PIPES:well", "'builtins:max'")).steps
    func: Any = step.func
    assert func is max
