"""A whole jobs file: the jobs that it makes, and every mistake at once."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from apscheduler.triggers.interval import IntervalTrigger

from janitor.jobs import Result
from janitor.jobs_file.loading import load
from janitor.tasks import labware_location
from tests.jobs_file.files import HERE, clock, fails, loaded, mistakes, skips, write

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
    assert all(job.keeps_result and job.file == str(tmp_path / "jobs.yaml") for job in jobs.values())


def test_a_function_that_declares_settings_gets_them(tmp_path: Path) -> None:
    scheduler = clock(LEASE_SECONDS="7")
    jobs = load(write(tmp_path, WHOLE), scheduler).jobs
    assert jobs["report"].kwargs == {"settings": scheduler.settings}
    assert "settings" not in jobs["crawl"].kwargs


def test_needs_come_from_the_package_of_the_function(tmp_path: Path) -> None:
    text = "jobs:\n  - {id: move, function: 'janitor.tasks.labware_location.sync:follow', schedule: every 5m}\n"
    assert list(loaded(tmp_path, text).jobs["move"].needs) == list(labware_location.NEEDS)


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


JOB = "jobs:\n  - id: a\n    function: FUNCTIONS:skips\n"
CRAWL = "jobs:\n  - id: a\n    function: FUNCTIONS:crawl\n"
REPORT = "jobs:\n  - id: a\n    function: FUNCTIONS:report\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "jobs.yaml:1: give a top-level list: 'jobs:' and under it one '- id: ...' for each job"),
        ("- a\n", "jobs.yaml:1: give a top-level list: 'jobs:' and under it one '- id: ...' for each job"),
        ("jobs: [1]\n", "jobs.yaml:1: job number 1: give keys and values, such as 'id: crawl'"),
        ("jobs: []\nextra: 1\n", "jobs.yaml:2: unknown key 'extra'"),
        ("jobs:\n  - id: a\n   b: c\n", "jobs.yaml:3: it is not YAML"),
        ("jobs:\n  - id: &x [*x]\n", "jobs.yaml:2: it is not YAML: an anchor refers to itself"),
        ("jobs: !!python/object:os.system {}\n", "jobs.yaml:1: jobs: give a top-level list"),
        (
            JOB + "    args: [!!python/name:os.system x]\n",
            "jobs.yaml:4: it is not YAML: could not determine a constructor",
        ),
        (JOB + "    tiemout: 5\n", "jobs.yaml:4: job a: tiemout: there is no such key; did you mean 'timeout'?"),
        (JOB + "    retries: 1\n    retries: 2\n", "jobs.yaml:5: job a: retries: it is given twice: keep one"),
        ("jobs:\n  - function: FUNCTIONS:skips\n", "jobs.yaml:2: job number 1: id: it is missing"),
        ("jobs:\n  - id: a\n", "jobs.yaml:2: job a: function: it is missing"),
        ("jobs:\n  - id: 7\n    function: FUNCTIONS:skips\n", "in YAML a text such as '7' wants quotes"),
        (
            JOB + "  - id: a\n    function: FUNCTIONS:skips\n",
            "jobs.yaml:4: job a: id: jobs.yaml:2 has that id already; give",
        ),
        (
            "jobs:\n  - {id: a-b, function: 'FUNCTIONS:skips'}\n  - {id: a_b, function: 'FUNCTIONS:skips'}\n",
            "job a_b: id: jobs.yaml:2 has that id already: its variables would be those of a-b; give another",
        ),
        (
            "jobs:\n  - id: a\n    function: nowhere.at:all\n",
            "it is 'nowhere.at:all': there is no module nowhere; put it",
        ),
        ("jobs:\n  - id: a\n    function: skips\n", "give a function as 'package.module:function'"),
        ("jobs:\n  - id: a\n    function: FUNCTIONS:skip\n", f"{HERE} has no skip; did you mean 'skips'?"),
        ("jobs:\n  - id: a\n    function: FUNCTIONS:HERE\n", "which is a str: give a function"),
        (
            CRAWL + "    args: [a, 1, 2]\n",
            "jobs.yaml:4: job a: args: tests.jobs_file.files:crawl(site: str, pages: int = 3)",
        ),
        (CRAWL, "jobs.yaml:3: job a: function: tests.jobs_file.files:crawl(site: str, pages: int = 3) ->"),
        (CRAWL + "    kwargs: {site: a, pgaes: 1}\n", "refuses them: got an unexpected keyword argument 'pgaes'"),
        (REPORT + "    kwargs: {part: 1}\n", "refuses them: got an unexpected keyword argument 'part'"),
        (JOB + "    args: 1\n", "jobs.yaml:4: job a: args: it is 1: give a list, such as [1, two]"),
        (JOB + "    kwargs: [1]\n", "jobs.yaml:4: job a: kwargs: it is [1]: give names and values"),
        (JOB + "    dependencies: [b]\n", "jobs.yaml:4: job a: dependencies: there is no job b; the jobs are a"),
        (
            JOB + "    dependencies: [a]\n",
            "jobs.yaml:4: job a: dependencies: they go round in a circle: a -> a; leave one",
        ),
        (JOB + "    schedule: evry 5m\n", "jobs.yaml:4: job a: schedule: it is 'evry 5m': give 'every' and a number"),
        (JOB + "    schedule: at noon\n", "jobs.yaml:4: job a: schedule: it is 'at noon': give 'every' and a number"),
        (JOB + "    schedule: after\n", "'after' runs a job after its dependencies, and it has none: name them"),
        (JOB + "    enabled: 'yes'\n", "jobs.yaml:4: job a: enabled: it is 'yes': give true or false"),
        (JOB + "    timeout: 0\n", "jobs.yaml:4: job a: timeout: it is 0: give a number of seconds above 0"),
        (JOB + "    retries: -1\n", "jobs.yaml:4: job a: retries: it is -1: give a whole number, 0 or more"),
        (JOB + "    catch_up: all\n", "jobs.yaml:4: job a: catch_up: it is 'all': give last or none"),
        (JOB + "    isolation: vm\n", "jobs.yaml:4: job a: isolation: it is 'vm': give thread or process"),
        (JOB + "    tags: web\n", "jobs.yaml:4: job a: tags: it is 'web': give a list of texts"),
        (JOB + "    protect: 1\n", "jobs.yaml:4: job a: protect: it is 1: give true or false"),
        (JOB + "    cleanup: no\n", "jobs.yaml:4: job a: cleanup: it is False: give a function as"),
        (CRAWL + "    args:\n      - !result b\n", "jobs.yaml:5: job a: args or kwargs: '!result b' needs b among the"),
        (CRAWL + "    args:\n      - !result\n", "jobs.yaml:5: it is not YAML: give '!result' and a job's id"),
    ],
)
def test_a_mistake_is_told_with_line_and_key(tmp_path: Path, text: str, said: str) -> None:
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


def test_an_entrys_own_keys_win_over_merged_keys(tmp_path: Path) -> None:
    text = (
        "x-common: &common {timeout: 5, retries: 1}\n"
        "jobs:\n  - {<<: *common, id: a, function: 'FUNCTIONS:skips', retries: 3}\n"
    )
    job = loaded(tmp_path, text).jobs["a"]
    assert (job.timeout, job.retries) == (5.0, 3)


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
