"""A rendered jobs file as YAML: its entries with the line of each key, and what is no such file."""

from pathlib import Path

import pytest

from janitor.jobs import Result
from janitor.jobs_file import document
from janitor.jobs_file.mistakes import Place
from janitor.jobs_file.template import render
from tests.jobs_file.files import CRAWL, JOB, loaded, mistakes, write


def test_an_entry_has_its_values_and_the_line_of_each_key(tmp_path: Path) -> None:
    text = "jobs:\n  - id: a\n    args:\n      - 7\n      - {deep: !result b}\n  - title: no id\n"
    (first, second), pipelines, wrong = document.read(render(write(tmp_path, text), {}))
    assert (pipelines, wrong) == ([], [])
    assert (first.number, first.values) == (1, {"id": "a", "args": [7, {"deep": Result("b")}]})
    assert first.places == {"id": Place("jobs.yaml", 2), "args": Place("jobs.yaml", 3)}
    assert first.results == [("b", Place("jobs.yaml", 5))]
    assert (second.number, second.place, second.values) == (2, Place("jobs.yaml", 6), {"title": "no id"})


def test_a_list_of_jobs_may_be_empty(tmp_path: Path) -> None:
    for text in ("jobs:\n", "jobs: []\n", "jobs: ~\nx-own: 1\n"):
        assert document.read(render(write(tmp_path, text), {})) == ([], [], [])


def test_a_pipeline_has_its_parts_and_the_line_of_each_key(tmp_path: Path) -> None:
    text = "pipelines:\n  p:\n    steps:\n      a: {retries: 7, needs: {1: ok}}\n    title: T\n"
    entries, (part,), wrong = document.read(render(write(tmp_path, text), {}))
    assert (entries, wrong) == ([], []) and (part.pipeline, part.path, part.place) == ("p", (), Place("jobs.yaml", 2))
    assert part.values == {"steps": {"a": {"retries": 7, "needs": {1: "ok"}}}, "title": "T"}
    assert part.places == {"steps": Place("jobs.yaml", 3), "title": Place("jobs.yaml", 5)}
    step = part.parts["steps"].parts["a"]
    assert (step.path, step.place, step.values["retries"]) == (("steps", "a"), Place("jobs.yaml", 4), 7)
    assert step.parts["needs"].values == {"1": "ok"}, "the names of parts are texts"


def test_there_may_be_pipelines_alone_or_none(tmp_path: Path) -> None:
    for text in ("pipelines:\n", "pipelines: {}\n", "pipelines: ~\njobs:\n"):
        assert document.read(render(write(tmp_path, text), {})) == ([], [], [])


def test_an_anchor_that_is_used_twice_gives_no_key_twice(tmp_path: Path) -> None:
    # Given: a mapping that merges another, and repeats a key of it. What happens: two jobs, and two steps, use it.
    # What must hold: no key counts as given twice, and the repeated key wins.
    text = (
        "x-c: &c {site: a}\nx-k: &k {<<: *c, site: b}\njobs:\n"
        "  - {id: a, function: 'FUNCTIONS:crawl', kwargs: *k}\n  - {id: b, function: 'FUNCTIONS:crawl', kwargs: *k}\n"
        "pipelines: {p: {steps: {a: *k, b: *k}}, q: {steps: {a: *k}}}\n"
    )
    entries, parts, wrong = document.read(render(write(tmp_path, text), {}))
    assert wrong == [] and [entry.values["kwargs"] for entry in entries] == [{"site": "b"}] * 2
    assert [part.values["steps"]["a"] for part in parts] == [{"site": "b"}] * 2


def test_an_entrys_own_keys_win_over_merged_keys(tmp_path: Path) -> None:
    text = (
        "x-common: &common {timeout: 5, retries: 1}\n"
        "jobs:\n  - {<<: *common, id: a, function: 'FUNCTIONS:skips', retries: 3}\n"
    )
    job = loaded(tmp_path, text).jobs["a"]
    assert (job.timeout, job.retries) == (5.0, 3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "jobs.yaml:1: give a top-level list: 'jobs:' and under it one '- id: ...' for each job"),
        ("- a\n", "jobs.yaml:1: give a top-level list: 'jobs:' and under it one '- id: ...' for each job"),
        ("jobs: [1]\n", "jobs.yaml:1: job number 1: give keys and values, such as 'id: crawl'"),
        ("", "for each job; or 'pipelines:' and under it 'NAME:' for each pipeline"),
        ("jobs: []\nextra: 1\n", "jobs.yaml:2: unknown key 'extra'"),
        ("jobs: []\njobs: []\n", "jobs.yaml:2: jobs: it is given twice: put all jobs into one list"),
        ("jobs: []\n? [a, b]\n: 1\n", "jobs.yaml:2: unknown key that is a list or a mapping: give"),
        ("jobs:\n  - id: a\n   b: c\n", "jobs.yaml:3: it is not YAML"),
        (CRAWL + "    schedule: @daily\n", "; put quotes around a value that begins with @"),
        (CRAWL + "    schedule: */5 * * * *\n", "; put quotes around a value that begins with *"),
        ("jobs:\n  - id: &x [*x]\n", "jobs.yaml:2: it is not YAML: an anchor refers to itself"),
        ("jobs: !!python/object:os.system {}\n", "jobs.yaml:1: jobs: give a top-level list"),
        (
            JOB + "    args: [!!python/name:os.system x]\n",
            "jobs.yaml:4: it is not YAML: could not determine a constructor",
        ),
        (JOB + "    retries: 1\n    retries: 2\n", "jobs.yaml:5: job a: retries: it is given twice: keep one"),
        (CRAWL + "    args:\n      - !result\n", "jobs.yaml:5: it is not YAML: give '!result' and a job's id"),
    ],
)
def test_what_is_no_jobs_file_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    found = mistakes(tmp_path, text)
    assert any(said in line for line in found), found
