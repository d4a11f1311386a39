"""A whole jobs file: the jobs that it makes, and every mistake at once."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from apscheduler.triggers.interval import IntervalTrigger

from janitor.items import Step
from janitor.jobs import Result
from janitor.jobs_file.loading import load
from janitor.jobs_file.mistakes import BadJobsFile
from tests.jobs_file import pipes
from tests.jobs_file.files import CRAWL, JOB, clock, fails, loaded, mistakes, skips, write

WHOLE = """
jobs:
  - id: crawl
    title: Crawl it
    notes: |
      Some **notes**.
    function: FUNCTIONS:crawl
    args: [garden]
    kwargs: {pages: 5}
    schedule: every 5m
    enabled: false
    timeout: 90
    retries: 2
    catch_up: none
    isolation: process
    tags: [web, daily]
    protect: true
    cleanup: FUNCTIONS:fails
  - id: report
    function: FUNCTIONS:report
    args: [!result crawl, [1, {deep: !result crawl}]]
    schedule: after
    dependencies: [crawl]
  - id: bare
    function: time:sleep
    args: [0.1]
"""


def test_every_key_is_taken_over(tmp_path: Path) -> None:
    jobs = loaded(tmp_path, WHOLE).jobs
    crawl = jobs["crawl"]
    assert (crawl.title, crawl.notes, crawl.args, crawl.kwargs) == (
        "Crawl it",
        "Some **notes**.\n",
        ("garden",),
        {"pages": 5},
    )
    assert isinstance(crawl.trigger, IntervalTrigger) and crawl.trigger.interval == timedelta(minutes=5)
    assert (crawl.enabled, crawl.disabled_because) == (False, "enabled: false in the jobs file")
    assert (crawl.timeout, crawl.retries, crawl.catch_up, crawl.isolation) == (90.0, 2, "none", "process")
    assert (crawl.tags, crawl.protect, crawl.cleanup) == (("web", "daily"), True, fails)
    assert jobs["report"].after and jobs["report"].dependencies == ("crawl",)
    assert jobs["report"].args == (Result("crawl"), [1, {"deep": Result("crawl")}])
    assert (jobs["bare"].schedule, jobs["bare"].timeout, jobs["bare"].enabled) == ("by hand", 3600.0, True)
    assert all(job.keeps_result == "if it fits" and job.file == str(tmp_path / "jobs.yaml") for job in jobs.values())


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    jobs = loaded(tmp_path, WHOLE, BARE_ENABLED="false", REPORT_SCHEDULE="every 1h").jobs
    assert jobs["bare"].disabled_because == "BARE_ENABLED=false"
    assert jobs["report"].schedule == "every 1h"


def test_a_job_of_the_file_takes_the_place_of_its_namesake(tmp_path: Path) -> None:
    scheduler = clock()
    scheduler.add_job(skips, "interval", hours=1, id="bare")
    scheduler.add_job(fails, "interval", hours=1, id="other")
    scheduler.replace_jobs(load(write(tmp_path, WHOLE), scheduler).jobs)
    assert list(scheduler.jobs) == ["bare", "other", "crawl", "report"]
    assert scheduler.jobs["bare"].func is time.sleep
    scheduler.replace_jobs({})
    assert {job.id: job.func for job in scheduler.jobs.values()} == {"bare": skips, "other": fails}


def test_a_job_of_the_file_may_depend_on_one_of_run_py(tmp_path: Path) -> None:
    scheduler = clock()
    scheduler.add_job(skips, "interval", hours=1, id="own")
    text = "jobs:\n  - {id: a, function: 'FUNCTIONS:skips', dependencies: [own]}\n"
    assert load(write(tmp_path, text), scheduler).jobs["a"].dependencies == ("own",)
    assert mistakes(tmp_path, text) == ["jobs.yaml:2: job a: dependencies: there is no job own; the jobs are a"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            JOB + "  - id: a\n    function: FUNCTIONS:skips\n",
            "jobs.yaml:4: job a: id: jobs.yaml:2 has that id already; give",
        ),
        (
            "jobs:\n  - {id: a-b, function: 'FUNCTIONS:skips'}\n  - {id: a_b, function: 'FUNCTIONS:skips'}\n",
            "job a_b: id: jobs.yaml:2 has that id already: its variables would be those of a-b; give another",
        ),
        (JOB + "    dependencies: [b]\n", "jobs.yaml:4: job a: dependencies: there is no job b; the jobs are a"),
        (
            JOB + "    dependencies: [a]\n",
            "jobs.yaml:4: job a: dependencies: they go round in a circle: a -> a; leave one",
        ),
    ],
)
def test_what_does_not_fit_together_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    found = mistakes(tmp_path, text)
    assert any(said in line for line in found), found


def test_all_mistakes_are_told_at_once_in_line_order(tmp_path: Path) -> None:
    text = (
        CRAWL
        + "    retries: x\n    dependencies: [b]\n  - id: b\n    function: no:no\n    dependencies: [a]\n    what: 1\n"
    )
    found = mistakes(tmp_path, text)
    assert [line.split(": ")[0] + " " + line.split(": ")[2] for line in found] == [
        "jobs.yaml:3 function",
        "jobs.yaml:4 retries",
        "jobs.yaml:5 dependencies",
        "jobs.yaml:7 function",
        "jobs.yaml:9 what",
    ]


def test_two_circles_are_both_told(tmp_path: Path) -> None:
    jobs = "".join(
        f"  - {{id: {job}, function: 'FUNCTIONS:skips', dependencies: [{other}]}}\n"
        for job, other in (("a", "b"), ("b", "a"), ("c", "d"), ("d", "c"))
    )
    found = mistakes(tmp_path, f"jobs:\n{jobs}")
    assert len(found) == 2 and all("they go round in a circle" in line for line in found)


def many(jobs: int, dependencies: int) -> str:
    """Write a file with many jobs; each depends on the jobs before it."""
    lines: list[Any] = []
    each = -(-dependencies // (jobs - 10))
    for number in range(jobs):
        named = [f"job_{number - back}" for back in range(1, each + 1)] if number >= 10 else []
        schedule = "after" if named else "every 1h"
        lines.append(f"  - id: job_{number}\n    function: FUNCTIONS:crawl\n    args: [a]\n    schedule: {schedule}\n")
        lines.append(f"    dependencies: [{', '.join(named)}]\n")
    return "jobs:\n" + "".join(lines)


def test_five_hundred_jobs_are_loaded_whole(tmp_path: Path) -> None:
    jobs = loaded(tmp_path, many(510, 1_000)).jobs
    assert len(jobs) == 510 and sum(len(job.dependencies) for job in jobs.values()) >= 1_000


def refused(folder: Path, text: str, **environment: str) -> list[str]:
    """The mistakes of a file beside a clock with the pipeline `own`, whose step is `a`, and the job `x.y`."""
    scheduler = clock(**environment)
    scheduler.add_pipeline("own", [Step("a", pipes.well)])
    scheduler.add_job(skips, "interval", hours=1, id="x.y")
    with pytest.raises(BadJobsFile) as caught:
        load(pipes.write(folder, text), scheduler)
    return [str(mistake) for mistake in caught.value.mistakes]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "jobs:\n  - {id: p.a, function: 'FUNCTIONS:skips'}\n" + pipes.PIPE,
            "6: pipeline p: steps.a: its job is p.a: jobs.yaml:2 has that id already; give another",
        ),
        (
            "jobs:\n  - {id: own.a, function: 'FUNCTIONS:skips'}\n",
            "2: job own.a: id: run.py has that id already; give another",
        ),
        (
            pipes.PIPE.replace("p:", "own:").replace("a:", "b:"),
            "2: pipeline own: run.py has a pipeline of that name already; give another",
        ),
        (
            pipes.PIPE.replace("p:", "x:").replace("a:", "y:"),
            "4: pipeline x: steps.y: its job is x.y: run.py has that id already; give another",
        ),
        (
            pipes.PIPE.replace("p:", "x_y:") + "  x-y: {steps: {a: {function: PIPES:well}}}\n",
            "5: pipeline x-y: steps.a: its job is x-y.a: jobs.yaml:4 has that id already: "
            "its variables would be those of x_y.a; give another",
        ),
        (
            pipes.PIPE.replace("p:", "state:").replace("a:", "database:"),
            "4: pipeline state: steps.database: its job is state.database: give another id: "
            "its variables would begin as the setting STATE_DATABASE_URL does",
        ),
        (
            pipes.PIPE
            + "    inboxes: {x: {use: 'PIPES:Telling'}}\njobs:\n  - {id: p.x_back, function: 'FUNCTIONS:skips'}\n",
            "2: pipeline p: id is 'p.x_back': another job has this id: give the step, inbox or reply another name",
        ),
    ],
)
def test_a_job_of_a_pipeline_takes_no_others_place(tmp_path: Path, text: str, said: str) -> None:
    (found,) = refused(tmp_path, text)
    assert found.startswith(f"jobs.yaml:{said}")


def test_a_job_may_depend_on_a_step(tmp_path: Path) -> None:
    text = "jobs:\n  - {id: j, function: 'FUNCTIONS:skips', dependencies: [p.a]}\n" + pipes.PIPE
    assert pipes.jobs(tmp_path, text)["j"].dependencies == ("p.a",)
    (found,) = pipes.mistakes(tmp_path, text.replace("[p.a]", "[p.b]"))
    assert found == "jobs.yaml:2: job j: dependencies: there is no job p.b; the jobs are j, p.a"


def test_a_pipeline_goes_onto_a_clock_and_off_it(tmp_path: Path) -> None:
    scheduler = clock()
    scheduler.add_pipeline("own", [Step("a", pipes.well)])
    scheduler.replace_jobs(load(pipes.write(tmp_path, pipes.PIPE), scheduler).jobs)
    assert list(scheduler.jobs) == ["own.a", "p.a"]
    scheduler.replace_jobs(load(pipes.write(tmp_path, pipes.PIPE.replace("a:", "b:")), scheduler).jobs)
    assert list(scheduler.jobs) == ["own.a", "p.b"]
    scheduler.replace_jobs({})
    assert list(scheduler.jobs) == ["own.a"]
