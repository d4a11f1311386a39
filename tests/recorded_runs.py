"""Runs a task as a job, recorded, in the test's own process."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from janitor import databases
from janitor.engine.runner import Runner
from janitor.engine.stages import Slot
from janitor.jobs import Job, schedules
from janitor.logs.mask import Mask
from janitor.logs.run_log import RunLog
from janitor.settings import Settings
from janitor.state import State, holders
from janitor.state.run_records import BY_HAND, Ending


class Daemon:
    """A daemon without its clock: a state database, and runs one after another."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        """Load settings from `environment`. If it names no state database, that is SQLite in `folder`."""
        state = {"STATE_DATABASE_URL": f"sqlite:///{folder / 'state.db'}"}
        self.settings = Settings.load({**state, **environment}, dotenv=None)
        databases.dispose()
        self.state = State(self.settings.state_database_url)
        self.state.migrate()
        mask = Mask()
        self.runner = Runner(self.state, self.settings, holders.new_holder(), mask, RunLog(mask))

    def run(self, func: Callable[[Settings], object], job: str = "task", dry_run: bool = False) -> Ending:
        """Run a task once, and return how it ended."""
        trigger = schedules.every(3600)
        made = Job(job, func, (self.settings,), {}, trigger)
        finished = self.runner.execute(made, Slot(None, BY_HAND), dry_run)
        assert finished is not None
        return finished[1]

    def counts(self, func: Callable[[Settings], object], job: str = "task", dry_run: bool = False) -> Mapping[str, Any]:
        """Run a task that must succeed, and return its counts."""
        ending = self.run(func, job, dry_run)
        assert ending.outcome.value == "succeeded", (ending.reason, ending.traceback)
        return ending.counts or {}

    def close(self) -> None:
        """Close every connection."""
        self.state.close()
        databases.dispose()
