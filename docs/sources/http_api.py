"""The JSON API, as its OpenAPI document tells it: each request with its answers, and the shape of each."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from fastapi import FastAPI

from docs.marked import code, table
from janitor.web.serving.app import PARTS
from janitor.web.serving.document import completed

USUAL = ("401", "403", "422", "503")
"""Answers that every request may get."""
Schema = Mapping[str, Any]


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document of a dashboard at which people sign in; nothing is opened for it."""
    app = FastAPI(title="Janitor")
    for part in PARTS:
        app.include_router(part.router)
    return completed(app.openapi(), is_open=False)


def requests(_: str) -> str:
    """A section for each request, by path."""
    return "\n\n".join(_request(*one) for one in operations())


def codes(_: str) -> str:
    """What each answer that is no success means."""
    said = {
        (status, response["description"])
        for _, _, operation in operations()
        for status, response in operation["responses"].items()
        if status >= "400"
    }
    return table(("status", "means"), sorted(said))


def shapes(_: str) -> str:
    """A section for each shape of a body or an answer."""
    found: Mapping[str, Schema] = document()["components"]["schemas"]
    return "\n\n".join(_shape(name, schema) for name, schema in sorted(found.items()) if "properties" in schema)


def operations() -> Iterator[tuple[str, str, Schema]]:
    """Each path and method, with what the document says of it."""
    for path, methods in sorted(document()["paths"].items()):
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _request(method: str, path: str, operation: Schema) -> str:
    by = "operators" if method != "GET" else "viewers and operators"
    parts = [f"### {method} {path}", operation["description"], f"For {by}."]
    rows = [_parameter(one) for one in operation.get("parameters", ()) if one["in"] in ("path", "query")]
    if rows:
        parts.append(table(("parameter", "takes", "meaning"), rows))
    if body := operation.get("requestBody"):
        parts.append(f"Body: {_type(body['content']['application/json']['schema'])}.")
    parts.append(f"Answers: {_answers(operation['responses'])}.")
    return "\n\n".join(parts)


def _parameter(one: Schema) -> tuple[str, str, str]:
    schema = one["schema"]
    default = f", default {code(_json(schema['default']))}" if "default" in schema else ""
    place = ", in the path" if one["in"] == "path" else ""
    words = _type(schema).removesuffix(" or null")
    return code(one["name"]), f"{words}{place}{default}", _cell(one.get("description", ""))


def _answers(responses: Mapping[str, Schema]) -> str:
    good = [status for status in responses if status < "400"]
    found = [f"{status} with {_type(_content(responses[status]))}" for status in good]
    return ", ".join(found + sorted(set(responses) - set(good) - set(USUAL)) + ["and the usual answers"])


def _content(response: Schema) -> Schema:
    schema: Schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _shape(name: str, schema: Schema) -> str:
    needed = schema.get("required", ())
    rows = [
        (code(field), _type(one) + ("" if field in needed else ", may be left out"), _cell(one.get("description", "")))
        for field, one in schema["properties"].items()
    ]
    return "\n\n".join((f"### {name}", schema.get("description", ""), table(("field", "type", "meaning"), rows)))


def _type(schema: Schema) -> str:
    """A type in words; a shape is a link to its section."""
    if name := schema.get("$ref", "").rpartition("/")[2]:
        return f"[{name}](#{name.lower()})" if "properties" in document()["components"]["schemas"][name] else "any JSON"
    if options := schema.get("anyOf"):
        return " or ".join(dict.fromkeys(_type(one) for one in options))
    if schema.get("allOf"):
        return _type(schema["allOf"][0])
    if values := schema.get("enum"):
        return _either(values)
    if "const" in schema:
        return code(schema["const"])
    return _simple(schema)


def _simple(schema: Schema) -> str:
    kind = schema.get("type")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if kind == "object":
        inner = schema.get("additionalProperties")
        return f"object of {_type(inner)}" if isinstance(inner, Mapping) and inner else "object"
    if kind == "string":
        return "instant" if schema.get("format") == "date-time" else "text"
    words = {"integer": "whole number", "number": "number", "boolean": "true or false", "null": "null"}
    return words.get(str(kind), "any JSON")


def _either(values: Sequence[object]) -> str:
    return ", ".join(code(value) for value in values)


def _json(value: object) -> str:
    return json.dumps(value)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
