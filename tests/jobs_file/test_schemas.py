"""Schemas of a pipeline: written in the jobs file, or in files beside it, and read when the jobs file is."""

from pathlib import Path

import pytest

from janitor.jobs_file.loading import load
from tests.jobs_file.files import clock
from tests.jobs_file.pipes import PIPE, mistakes, pipeline, write

SCHEMA = '{"type": "object", "required": ["ETag"]}'
API = "components:\n  schemas:\n    Request: {type: object, required: [body]}\n    Bad: {type: 7}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a schema and an OpenAPI document in `schemas`."""
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "request.json").write_text(SCHEMA, encoding="utf-8")
    (tmp_path / "schemas" / "api.yaml").write_text(API, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("pointer", ["", "#/required"])
def test_a_schema_lies_beside_the_jobs_file(folder: Path, monkeypatch: pytest.MonkeyPatch, pointer: str) -> None:
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    text = PIPE + "    schema: schemas/request.json\n"
    assert pipeline(folder, text).schema == str(folder / "schemas" / "request.json")
    assert folder / "schemas" / "request.json" in load(write(folder, text), clock()).files


def test_a_schema_may_be_a_part_of_a_file_or_written_here(folder: Path) -> None:
    text = PIPE + "    schema: schemas/api.yaml#/components/schemas/Request\n"
    assert pipeline(folder, text).schema == f"{folder}/schemas/api.yaml#/components/schemas/Request"
    assert pipeline(folder, PIPE + "    schema: {type: object, required: [a]}\n").schema == {
        "type": "object",
        "required": ["a"],
    }


def test_each_task_may_have_a_schema_of_its_own(folder: Path) -> None:
    text = PIPE + "    task_name: body.name\n    schema: {align: schemas/request.json, count: {type: object}}\n"
    made = pipeline(folder, text)
    assert made.schema == {"align": f"{folder}/schemas/request.json", "count": {"type": "object"}}
    assert made.task_name == "body.name"


def test_a_schema_is_looked_for_beside_a_link_and_its_target(folder: Path) -> None:
    # Given: a link to a jobs file in another folder; of two schemas one lies beside each, of the third one beside both.
    (folder / "link").mkdir()
    for place, names in ((folder / "link", ("a", "c")), (folder, ("b", "c"))):
        for name in names:
            (place / f"{name}.json").write_text("{}", encoding="ascii")
    write(folder, PIPE + "    task_name: n\n    schema: {a: a.json, b: b.json, c: c.json}\n", "real.yaml")
    (folder / "link" / "jobs.yaml").symlink_to(folder / "real.yaml")
    loaded = load(folder / "link" / "jobs.yaml", clock())
    work = loaded.jobs["p.a"].work
    assert work is not None
    assert work.whole.schema == {
        "a": f"{folder}/link/a.json",
        "b": f"{folder}/b.json",
        "c": f"{folder}/link/c.json",
    }
    assert set(loaded.files) >= {folder / "link" / "b.json", folder / "b.json"}, "one may be put beside the link later"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("    schema: nowhere.json\n", "5: pipeline p: schema: it is 'nowhere.json': there is no such file in FOLDER"),
        ("    schema: schemas\n", "5: pipeline p: schema: it is 'schemas': there is no such file in FOLDER"),
        ("    schema: 7\n", "5: pipeline p: schema: it is 7: give a JSON Schema, or a file with one, such as"),
        ("    schema: {type: 7}\n", "5: pipeline p: schema: it is no JSON Schema: 7 is not valid"),
        ("    schema: jobs.yaml#/nowhere\n", "5: pipeline p: schema: there is no /nowhere in the file"),
        ("    schema: schemas/api.yaml#/components/schemas/Bad\n", "5: pipeline p: schema: it is no JSON Schema: 7"),
        (
            "    task_name: n\n    schema: schemas/request.json\n",
            "6: pipeline p: schema: it is 'schemas/request.json': with task_name, give the names of tasks and their",
        ),
        (
            "    task_name: n\n    schema:\n      a: schemas/request.json\n      b: {type: 7}\n      c: no.json\n",
            "8: pipeline p: schema.b: it is no JSON Schema: 7 is not valid",
        ),
    ],
)
def test_a_schema_that_cannot_be_used_is_told_with_its_line(folder: Path, text: str, said: str) -> None:
    found = mistakes(folder, PIPE + text)
    assert found[0].startswith(f"jobs.yaml:{said.replace('FOLDER', str(folder))}"), found
    assert len(found) == (2 if "no.json" in text else 1)
