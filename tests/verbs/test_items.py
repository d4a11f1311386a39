"""The verb `items`: the counts of all pipelines, and the items of one."""

from tests import items_house
from tests.items_house import House


def test_all_pipelines_are_counted_by_step_and_status(parcels: House) -> None:
    assert parcels("items").lines == ["pipeline\tstep\tstate\tstatus\tnumber\toldest_at"]
    items_house.add(parcels, "a", fetch="processed", match="no host")
    items_house.add(parcels, "b", "c")
    rows = parcels("items", "--json").json
    told = [(row["step"], row["state"], row["status"], row["number"]) for row in rows]
    assert told == [
        (None, "open", None, 2),
        (None, "failed", None, 1),
        ("fetch", "ready", "not processed", 2),
        ("fetch", "done", "processed", 1),
        ("match", "waiting", "not processed", 2),
        ("match", "failed", "no host", 1),
        ("count", "waiting", "not processed", 2),
        ("count", "blocked", "not processed", 1),
    ]
    assert {row["pipeline"] for row in rows} == {"parcels"}
    waits = [row["oldest_at"] for row in rows]
    assert waits == [None, None, "2026-07-01T12:00:00Z", *[None] * 5]


def test_the_items_of_a_pipeline_are_listed_with_their_steps(parcels: House) -> None:
    items_house.add(parcels, "a/1", "a/2", fetch="processed", match="no host")
    items_house.add(parcels, "b")
    rows = parcels("items", "parcels").rows
    assert [(row["key"], row["state"], row["steps"]) for row in rows] == [
        ("b", "open", "fetch: ready, match: waiting, count: waiting"),
        ("a/2", "failed", "fetch: processed, match: no host, count: blocked"),
        ("a/1", "failed", "fetch: processed, match: no host, count: blocked"),
    ]
    found = parcels("items", "parcels", "--step", "match", "--status", "no host", "--limit", "1", "--json").json
    assert [(row["key"], row["steps"][1]["status"], row["done"]) for row in found] == [("a/2", "no host", 1 / 3)]
    assert "secrets" not in found[0] and "args" not in found[0]
    for options in (("--state", "open"), ("--key", "b"), ("--state", "ready"), ("--key", "b*", "--step", "fetch")):
        assert [row["key"] for row in parcels("items", "parcels", *options).rows] == ["b"]
    assert parcels("items", "parcels", "--flagged").rows == parcels("items", "stars").rows == []


def test_a_flag_is_listed_until_it_is_resolved(parcels: House) -> None:
    items_house.add(parcels, "a")
    parcels("flag", "parcels/a", "torn open")
    assert [row["flag"] for row in parcels("items", "parcels").rows] == ["torn open"]
    parcels("flag", "parcels/a", "mended", "--resolve")
    assert [row["flag"] for row in parcels("items", "parcels").rows] == [""]


def test_what_cannot_be_listed_is_told(parcels: House) -> None:
    said = "janitor: pipeline is 'nope': there is no such pipeline; the pipelines are parcels, stars\n"
    assert (parcels("items", "nope").code, parcels("items", "nope").err) == (2, said)
    said = "janitor: STEP is 'nope': parcels has no such step; its steps are fetch, match, count\n"
    assert parcels("items", "parcels", "--step", "nope").err == said
    assert parcels("items", "parcels", "--state", "gone").err.startswith("janitor: the state is 'gone': give one of bl")
    assert parcels("items", "--state", "open").err.startswith("janitor: PIPELINE is missing: name the pipeline")
