"""A house of two pipelines, to try the command line on: `python -m tests.items_house VERB`."""

import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor import cli
from janitor.items import Item, Reading, Step
from janitor.items.ends import Take
from janitor.items.pipelines import pipelines_of
from janitor.needs import Need
from janitor.runs import PastItem, current_run
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from janitor.state import State, item_plans
from janitor.state.item_plans import Plan
from tests.command_line import CommandLine, Ended
from tests.small_engine import lite_state, logging_restored, migrated
from tests.state import parcels

PROGRAM = ("-m", "tests.items_house")


@dataclass(frozen=True)
class Desk:
    """An inbox at which nobody stands; a person may push messages into it."""

    name: str = "desk"
    reading: Reading = Reading(key_field="id", args_field="body", secret_fields=("token",))

    @property
    def requires(self) -> Sequence[Need]:
        """Nothing."""
        return ()

    def receive(self, settings: Settings, take: Take) -> Mapping[str, int] | None:
        """Wait until asked to stop."""
        while True:
            current_run().sleep(0.05)


def fetch(item: Item) -> str | None:
    """Weigh a parcel, unless it is broken."""
    if item.args.get("broken"):
        raise ValueError(f"the parcel {item.key} is broken")
    item.result = {"weight": item.args.get("weight", 1)}
    return None


def match(item: Item) -> str | None:
    """Find whom a parcel belongs to."""
    return "no host" if item.args.get("lost") else None


def count(item: Item) -> str | None:
    """Count a parcel."""
    return "few filters" if item.results["fetch"]["weight"] > 9 else None


def look(item: Item) -> None:
    """Look at a star."""


def forget(item: PastItem) -> None:
    """Take away what a look at a star left: note it, unless the star is stuck."""
    if item.key == "stuck":
        raise ValueError("it is stuck")
    with open("forgotten", "a") as file:
        print(item.key, item.step, item.status, file=file)


def build(settings: Settings) -> Scheduler:
    """Make the pipelines."""
    scheduler = Scheduler(settings)
    scheduler.add_pipeline(
        "parcels",
        [Step("fetch", fetch), Step("match", match, needs=["fetch"]), Step("count", count, needs=["match"])],
        statuses={"no host": "error", "few filters": "warning"},
        inboxes=[Desk()],
    )
    scheduler.add_pipeline("stars", [Step("look", look, cleanup=forget)])
    return scheduler


@dataclass(frozen=True)
class House:
    """The verbs of this house in a folder, each done in this process."""

    folder: Path

    def __call__(self, *arguments: str, **environment: str) -> Ended:
        """Do a verb to its end."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, logging_restored(), redirect_stdout(out), redirect_stderr(err):
            patch.chdir(self.folder)
            for name, value in environment.items():
                patch.setenv(name, value)
            code = cli.main(build, arguments)
        return Ended(code, out.getvalue(), err.getvalue())

    @property
    def in_processes(self) -> CommandLine:
        """The same verbs, each in a process of its own."""
        return CommandLine(self.folder, PROGRAM)


def house(folder: Path) -> House:
    """This house in a folder, with an empty state database that knows its pipelines."""
    url = lite_state(folder / "var" / "janitor.db")
    state = migrated(url)
    scheduler = build(Settings.load({"STATE_DATABASE_URL": url.render_as_string()}, dotenv=None))
    with state.begin() as connection:
        for pipeline in pipelines_of(scheduler.jobs).values():
            item_plans.save(connection, pipeline.plan)
    state.close()
    return House(folder)


@contextmanager
def state_of(house: House) -> Iterator[tuple[State, Plan]]:
    """The state database of this house in a folder, and the plan of its parcels."""
    state = State(URL.create("sqlite", database=str(house.folder / "var" / "janitor.db")))
    with state.read() as connection:
        plan = item_plans.load(connection, "parcels")
    assert plan is not None
    yield state, plan
    state.close()


def add(house: House, *keys: str, **ends: str) -> list[int]:
    """Add parcels, and let each of the steps `ends` end with a status for all of them; the ids."""
    with state_of(house) as (state, plan):
        ids = parcels.add(state, *keys, plan=plan)
        for step, status in ends.items():
            parcels.end(state, step, *ids, status=status, plan=plan)
    return ids


if __name__ == "__main__":
    sys.exit(cli.main(build))
