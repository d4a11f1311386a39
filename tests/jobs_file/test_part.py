"""One mapping of a pipeline: where a mistake in it is, and what it is called."""

from janitor.jobs_file.mistakes import Place
from janitor.jobs_file.part import Part

FIRST, KEY, OTHER = Place("jobs.yaml", 5), Place("jobs.yaml", 7), Place("more.yaml", 9)


def part(*path: str, pipeline: str = "p") -> Part:
    """A part with one key."""
    return Part(pipeline, path, FIRST, {"retries": 1}, {"retries": KEY}, {})


def test_a_mistake_is_where_its_key_is_with_the_whole_path() -> None:
    assert str(part("steps", "a").mistake("retries", "no")) == "jobs.yaml:7: pipeline p: steps.a.retries: no"
    assert str(part("steps", "a").mistake("function", "no")) == "jobs.yaml:5: pipeline p: steps.a.function: no"
    assert str(part("steps", "a").mistake("retries", "no", OTHER)).startswith("more.yaml:9: ")


def test_a_mistake_without_a_key_is_of_the_whole_part() -> None:
    assert str(part("steps", "a").mistake("", "no")) == "jobs.yaml:5: pipeline p: steps.a: no"
    assert str(part().mistake("", "no")) == "jobs.yaml:5: pipeline p: no"
    assert part(pipeline="x" * 100).name == "pipeline " + "x" * 64
