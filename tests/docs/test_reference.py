"""The reference is complete: every setting, verb, option, address and channel stands on its page."""

import importlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
import pytest
from fastapi.routing import APIRoute

import run
from docs.marked import cells
from docs.sources import python_api
from janitor.cli import verbs
from janitor.settings import Settings
from janitor.settings.passwords import hashed, read
from janitor.web.desk import Desk
from janitor.web.serving.app import make_app
from tests.command_line import ROOT, CommandLine
from tests.small_engine import empty_state, lite_state
from tests.test_public import faces
from tests.web.desks import add_jobs, served

REFERENCE = ROOT / "docs" / "reference"
EVERY_CHANNEL = {
    "MAIL_HOST": "mail",
    "MAIL_FROM": "janitor@example.org",
    "MAIL_TO": "anna@example.org",
    "SLACK_URL": "http://127.0.0.1/slack",
    "TEAMS_URL": "http://127.0.0.1/teams",
    "PAGERDUTY_KEY": "0123456789abcdef",
    "WEBHOOK_URL": "http://127.0.0.1/webhook",
}


def page(name: str) -> str:
    """A page of the reference."""
    return (REFERENCE / f"{name}.md").read_text(encoding="utf-8")


def first_cells(name: str) -> set[str]:
    """The first cell of every row of a page's tables, without its backquotes."""
    return {text for row in cells(page(name)) for text in re.findall(r"`([^`]+)`", row[0])}


def test_every_setting_is_in_the_reference() -> None:
    known = Settings.load({}, None, run.SETTINGS_OF_TASKS).known
    assert set(known) | {"<JOB>_ENABLED", "<JOB>_SCHEDULE", "<JOB>_PING_URL"} <= first_cells("settings")
    assert "`<NAME>_FILE`" in page("settings")


def test_every_public_module_is_in_the_reference() -> None:
    assert {f"janitor.{face}" for face in faces()} == set(python_api.there())
    for module in python_api.there():
        section = page("python_api").split(f"\n### {module}\n")[1].split("\n### ")[0]
        public = importlib.import_module(module).__all__
        assert public and [name for name in public if f"\n| `{name}` |" not in section] == [], module


def each_verb(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every verb and verb below a verb, as it is typed."""
    for name, verb in group.commands.items():
        yield before + name, verb
        if isinstance(verb, click.Group):
            yield from each_verb(verb, f"{before}{name} ")


def test_every_verb_is_in_the_reference_with_its_options() -> None:
    sections = dict(re.findall(r"^### (.+?)\n(.*?)(?=^### |\Z)", page("command_line"), re.MULTILINE | re.DOTALL))
    found = dict(each_verb(verbs))
    assert len(found) >= 18 and sections.keys() - found.keys() == {"every verb"}
    for name, verb in found.items():
        named = [
            option
            for parameter in verb.params
            for option in parameter.opts
            if option.startswith("-") and not getattr(parameter, "hidden", False)
        ]
        arguments = [parameter for parameter in verb.params if isinstance(parameter, click.Argument)]
        named += [(one.metavar or str(one.name).upper()).rstrip("]") for one in arguments]
        assert [one for one in named if f"| `{one}" not in sections[name]] == [], name


@pytest.fixture(params=["sqlite"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """The desk of a daemon with a few jobs."""
    with served(empty_state(request, tmp_path), tmp_path, add_jobs) as (made, _):
        yield made


def test_every_request_of_the_api_is_in_the_reference(desk: Desk) -> None:
    document = make_app(desk).openapi()
    told = re.findall(r"^### ([A-Z]+) (/\S+)$", page("http_api"), re.MULTILINE)
    asked = [(method.upper(), path) for path, methods in document["paths"].items() for method in methods]
    assert sorted(told) == sorted(asked) and len(told) > 15


def each_route(routes: Iterable[object]) -> Iterator[APIRoute]:
    """Every route, also those of the routers that are included."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        yield from each_route(getattr(getattr(route, "original_router", None), "routes", ()))


def test_every_other_address_is_in_the_reference(desk: Desk) -> None:
    # Forms of the pages go to addresses of their own, which nobody else asks for.
    routes = [
        route
        for route in each_route(make_app(desk).routes)
        if not route.include_in_schema and "GET" in (route.methods or ())
    ]
    wanted = {route.path for route in routes} | {"/openapi.json"}
    assert len(wanted) > 12
    assert set(re.findall(r"`(/[^`?]*)`", page("http_api").split("## Other addresses")[1])) - {"/api/"} == wanted
    assert first_cells("health") == {path for path in wanted if path.startswith("/health/")}


def test_every_channel_is_in_the_reference(tmp_path: Path) -> None:
    lite_state(tmp_path / "var" / "janitor.db")
    janitor = CommandLine(tmp_path, (str(ROOT / "run.py"),))
    told = page("notices").split("## Channels")[1].split("\n## ")[0]
    named = {row[0].lower() for row in cells(told)}
    assert named == {row["channel"] for row in janitor("notices", "--json", **EVERY_CHANNEL).json["channels"]} | {
        "ping"
    }
    beginnings = ("mail_", "slack_", "teams_", "pagerduty_", "webhook_", "ping_")
    wanted = [name.upper() for name in Settings.model_fields if name.startswith(beginnings)]
    assert [name for name in wanted if f"`{name}`" not in told] == []


def test_access_shows_a_hash_as_password_prints_it() -> None:
    (shown,) = re.findall(r"^    (argon2id\.\S+)$", page("access"), re.MULTILINE)
    costs = shown.split(".")[:5]
    assert str(read(shown)) == shown and str(hashed("open sesame 42")).split(".")[:5] == costs
