"""The verb `push`: items from a file or a pipe, as they are or as an inbox reads them."""

import subprocess
import sys

from janitor.state import item_plans
from janitor.state.item_plans import Plan, PlannedStep
from tests.command_line import USER
from tests.items_house import House, state_of


def keys(parcels: House) -> list[str]:
    """The keys of the items that are there."""
    return [row["key"] for row in parcels("items", "parcels").rows][::-1]


def test_items_come_from_a_file(parcels: House) -> None:
    (parcels.folder / "one.json").write_text('{\n  "key": "a",\n  "weight": 3\n}\n{"key":\n "b"}\n')
    ended = parcels("push", "parcels", "one.json")
    assert (ended.code, ended.out, ended.err) == (0, "items of parcels: 2 added\n", "")
    assert keys(parcels) == ["a", "b"]
    assert parcels("push", "parcels", "one.json").out == "items of parcels: 0 added, 2 there already\n"
    rows = parcels("history", "--json").json
    assert [(row["job"], row["action"], row["actor"], row["detail"]) for row in rows] == [
        ("parcels", "pushed", USER, "2 items, the first is a"),
        ("parcels", "pushed", USER, "2 items, the first is a"),
    ]


def test_lines_that_are_no_items_are_told_and_all_others_are_added(parcels: House) -> None:
    (parcels.folder / "many.jsonl").write_text('{"key": \n{"key": "a"}\n\n{"weight": 1}\n{"key": "b"}\n')
    ended = parcels("push", "parcels", "many.jsonl")
    assert (ended.code, ended.out) == (1, "items of parcels: 2 added, 2 refused\n")
    assert ended.err.splitlines()[0].startswith("janitor: message 1, in line 1, is no item: it is no JSON")
    assert ended.err.splitlines()[1:] == [
        "janitor: message 3, in line 4, is no item: it has no key: give the item's key there, a text or a whole number"
    ]
    assert keys(parcels) == ["a", "b"] and parcels("letters").rows == []


def test_items_come_from_a_pipe(parcels: House) -> None:
    command = [sys.executable, *parcels.in_processes.program, "push", "stars", "-"]
    lines = "".join(f'{{"key": "s{number}"}}\n' for number in range(1_200))
    ended = subprocess.run(
        command, cwd=parcels.folder, env=parcels.in_processes.whole({}), input=lines, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "items of stars: 1,200 added\n", "")
    assert [row["number"] for row in parcels("items").rows] == ["1200", "1200"]


def test_an_inbox_reads_what_is_pushed_into_it(parcels: House) -> None:
    bodies = '{"id": "a", "body": {"weight": 2}, "token": "s3cret"}\n{"id": "b"}\n'
    (parcels.folder / "many.jsonl").write_text(bodies)
    ended = parcels("push", "parcels", "many.jsonl", "--inbox", "desk")
    assert (ended.code, ended.out) == (1, "items of parcels: 1 added, 1 refused\n")
    assert keys(parcels) == ["a"]
    [row] = parcels("letters").rows
    assert (row["inbox"], row["key"], row["reason"]) == ("desk", "b", "its body is null, and an object is wanted")
    assert "s3cret" not in parcels("item", "parcels/a", "--json").out
    assert parcels("push", "parcels", "many.jsonl", "--inbox", "nope").err == (
        "janitor: --inbox is 'nope': parcels has no such inbox; its inboxes are desk\n"
    )


def test_items_of_a_pipeline_that_is_gone_are_added_and_that_is_told(parcels: House) -> None:
    with state_of(parcels) as (state, _), state.begin() as connection:
        item_plans.save(connection, Plan("letters", (PlannedStep("read", {}),), {"processed": "ok"}, (), "reply"))
    (parcels.folder / "one.json").write_text('{"key": "a"}')
    ended = parcels("push", "letters", "one.json")
    assert (ended.code, ended.out) == (0, "items of letters: 1 added\n")
    assert ended.err == (
        "janitor: run.py and the jobs file have no pipeline letters: its items wait until one of them has it\n"
    )


def test_what_cannot_be_pushed_is_told(parcels: House) -> None:
    assert "No such file or directory" in parcels("push", "parcels", "nope.json").err
    (parcels.folder / "one.json").write_text('{"key": "a"}')
    assert parcels("push", "nope", "one.json").err == (
        "janitor: pipeline is 'nope': there is no such pipeline; the pipelines are parcels, stars\n"
    )
    assert parcels("push", "nope", "one.json", "--inbox", "desk").err == (
        "janitor: PIPELINE is 'nope': run.py and the jobs file have no such pipeline; "
        "their pipelines are parcels, stars\n"
    )
