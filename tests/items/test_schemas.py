"""Schemas: what a message must look like; of one that does not fit, the mistakes are told without its words."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from janitor.errors import BadSetting
from janitor.items.reading import NoItem
from janitor.items.schemas import Schemas

REQUEST = {
    "type": "object",
    "required": ["ETag", "body"],
    "properties": {
        "ETag": {"type": "string"},
        "body": {"type": "object", "properties": {"name": {"enum": ["align", "count"]}, "n": {"multipleOf": 0.5}}},
        "Authorization": {"type": "string", "maxLength": 9},
    },
    "additionalProperties": False,
}
GOOD = {"ETag": "e", "body": {"name": "align"}}


def mistakes(schemas: Schemas, content: dict[str, Any]) -> str:
    """Why a message does not fit."""
    with pytest.raises(NoItem) as caught:
        schemas.check(content, "k")
    assert caught.value.key == "k"
    return caught.value.reason


def test_without_a_schema_all_is_taken() -> None:
    Schemas(None).check({"any": "thing"})
    Schemas(None).require()


def test_what_fits_is_taken() -> None:
    schemas = Schemas(REQUEST)
    schemas.require()
    schemas.check(GOOD, "k")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"ETag": "e"}, "the message: it lacks body"),
        ({**GOOD, "ETag": 7}, "ETag: "),
        ({**GOOD, "body": {"name": "dance"}}, 'body/name: it must be one of ["align", "count"]'),
        ({**GOOD, "colour": "blue"}, "the message: it has properties that are not known"),
        ({**GOOD, "Authorization": "sesame-17-and-more"}, "Authorization: it breaks maxLength: 9"),
    ],
)
def test_a_mistake_is_told_where_it_is(content: dict[str, Any], says: str) -> None:
    reason = mistakes(Schemas(REQUEST), content)
    assert reason.startswith("it does not fit its schema: ") and says in reason
    assert "sesame" not in reason and "dance" not in reason and "blue" not in reason


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("enum: [2024-01-01]", 'it must be one of ["2024-01-01"]'),
        ("oneOf: [{type: integer, example: 2024-05-01}]", 'it breaks oneOf: [{"type": "integer", "example": "2024-'),
    ],
)
def test_a_schema_in_yaml_may_hold_dates(rule: str, says: str) -> None:
    # YAML makes them of what looks like one, and JSON has none.
    schema = yaml.safe_load(f"properties: {{day: {{{rule}}}}}")
    assert says in mistakes(Schemas(schema), {"day": "tomorrow"})


def test_of_many_mistakes_the_first_are_told() -> None:
    schema = {"properties": {f"a{n}": {"type": "string"} for n in range(9)}}
    reason = mistakes(Schemas(schema), {f"a{n}": n for n in range(9)})
    assert [f"a{n}" in reason for n in range(9)] == [True] * 3 + [False] * 6
    assert reason.endswith("; and 6 mistakes more")


@pytest.mark.parametrize("number", [10**400, -(10**400)])
def test_a_number_that_cannot_be_checked_does_not_fit(number: int) -> None:
    reason = mistakes(Schemas(REQUEST), {**GOOD, "body": {"n": number}})
    assert reason == "it does not fit its schema: it cannot be checked: OverflowError"
    Schemas(REQUEST).check({**GOOD, "body": {"n": 1.5}})


def test_a_schema_that_leads_nowhere_is_no_messages_fault() -> None:
    # Given a schema that refers to what is not there. No message may be put away for it.
    with pytest.raises(Exception, match="nowhere") as caught:
        Schemas({"properties": {"a": {"$ref": "#/nowhere"}}}).check({"a": 1})
    assert not isinstance(caught.value, NoItem)


def test_each_task_may_have_its_schema() -> None:
    schemas = Schemas({"align": {"required": ["n"]}, "count": True}, "body.name")
    schemas.require()
    schemas.check({"body": {"name": "count"}})
    assert "it lacks n" in mistakes(schemas, {"body": {"name": "align"}})
    for body in ({"name": "dance"}, {"name": 7}, {}, None):
        with pytest.raises(NoItem, match="^its body.name names no task: the tasks are") as caught:
            schemas.check({"body": body})
        assert caught.value.code == "unknown task"


def test_a_schema_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text(json.dumps(REQUEST), encoding="utf-8")
    (tmp_path / "request.yaml").write_text(yaml.safe_dump(REQUEST), encoding="utf-8")
    for name in ("request.json", "request.yaml"):
        schemas = Schemas(str(tmp_path / name))
        schemas.check(GOOD)
        assert "it lacks body" in mistakes(schemas, {"ETag": "e"})


def test_a_component_of_an_api_is_a_schema(tmp_path: Path) -> None:
    api = {
        "openapi": "3.1.0",
        "paths": {},
        "components": {
            "schemas": {
                "Work/Request": {"required": ["body"], "properties": {"body": {"$ref": "#/components/schemas/Body"}}},
                "Body": {"required": ["name"]},
            }
        },
    }
    (tmp_path / "api.yaml").write_text(yaml.safe_dump(api), encoding="utf-8")
    schemas = Schemas(f"{tmp_path}/api.yaml#/components/schemas/Work~1Request")
    schemas.require()
    schemas.check({"body": {"name": "x"}})
    assert "body: it lacks name" in mistakes(schemas, {"body": {}})
    with pytest.raises(BadSetting, match="there is no /components/schemas/Other in the file"):
        Schemas(f"{tmp_path}/api.yaml#/components/schemas/Other").require()


@pytest.mark.parametrize(
    ("content", "says"), [(None, "give a file that can be read"), ("{", "give a file with JSON or YAML")]
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, content: str | None, says: str) -> None:
    path = tmp_path / "request.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(BadSetting, match=says):
        Schemas(str(path)).require()


def test_what_is_no_schema_is_refused() -> None:
    with pytest.raises(BadSetting, match="it is no JSON Schema"):
        Schemas({"type": "odd"}).require()
    for schema in ("request.json", None):
        with pytest.raises(BadSetting, match="give a schema for each name of a task at body.name"):
            Schemas(schema, "body.name").require()
