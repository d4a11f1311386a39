"""Mistakes: how each reads, and in which order they are told."""

from janitor.jobs_file.mistakes import BadJobsFile, Mistake, Place


def test_a_mistake_reads_as_place_key_and_text() -> None:
    assert str(Mistake(Place("jobs.yaml", 12), "job a: args", "it is 1")) == "jobs.yaml:12: job a: args: it is 1"
    assert str(Mistake(Place("jobs.yaml", 1), "", "it is not UTF-8")) == "jobs.yaml:1: it is not UTF-8"


def test_mistakes_are_told_by_file_and_line() -> None:
    found = [
        Mistake(Place(*place), "", "no") for place in (("b.yaml", 2), ("a.yaml", 10), ("b.yaml", 1), ("a.yaml", 9))
    ]
    error = BadJobsFile("a.yaml", found)
    assert [str(mistake.place) for mistake in error.mistakes] == ["a.yaml:9", "a.yaml:10", "b.yaml:1", "b.yaml:2"]
    assert str(error) == "JOBS_FILE is 'a.yaml': it has 4 mistakes, the first: a.yaml:9: no"
    assert "it has 1 mistake, the first: b.yaml:2: no" in str(BadJobsFile("a.yaml", found[:1]))
