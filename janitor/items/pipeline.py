"""A pipeline: its steps, its statuses, where its items come from, and who is told what came of them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from janitor.errors import BadSetting
from janitor.items.ends import Inbox, Reply, Store
from janitor.items.step import Step
from janitor.runs.bounds import listed
from janitor.state.item_plans import Plan, PlannedStep
from janitor.state.item_states import BUILT_IN

LETTERS = "letters, digits, '_' and '-', the first a letter or a digit"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]{0,62}")
MOST_ID = 64
KEEP_DAYS, KEEP_ERRORS_DAYS = 90.0, 365.0
FAILS_IN_A_ROW = 10
"""From so many failures of a step in a row on, people are told."""
WAITS_SECONDS = 3600.0
"""People are told of items that could be taken, and wait for longer."""


@dataclass(frozen=True)
class Pipeline:
    """What one `add_pipeline` line, or one entry under `pipelines:` in a jobs file, makes; `check` has its mistakes.

    - `statuses`: its own statuses, each with its kind: ok, warning or error.
    - `inboxes`: where items come from.
    - `replies`: who is told what came of them.
    - `store`: where results are kept; None keeps them in the state database.
    - `schema`: a JSON Schema that the arguments of each message must fit, or the path of a file with it; or, with
      `task_name`, a mapping from the names of tasks to schemas.
    - `task_name`: where the name of the task stands in a message, such as `body.name`.
    - `on_duplicate`: what becomes of a key that is there: `reply`, `ignore`, `change` or `anew`.
    - `keep_days`: for how many days items that are done stay.
    - `keep_errors_days`: for how many days items that have failed stay.
    - `fails_in_a_row`: people are told once a step has failed so many times, one after the other.
    - `waits_seconds`: people are told once an item has waited so long for a step that could take it.
    - `title`: its name for people.
    - `notes`: Markdown for its page.
    """

    name: str
    steps: Sequence[Step]
    statuses: Mapping[str, str] = field(default_factory=dict)
    inboxes: Sequence[Inbox] = ()
    replies: Sequence[Reply] = ()
    store: Store | None = None
    schema: Any = None
    task_name: str = ""
    on_duplicate: str = "reply"
    keep_days: float = KEEP_DAYS
    keep_errors_days: float = KEEP_ERRORS_DAYS
    fails_in_a_row: int = FAILS_IN_A_ROW
    waits_seconds: float = WAITS_SECONDS
    title: str = ""
    notes: str = ""
    file: str = ""

    @cached_property
    def plan(self) -> Plan:
        """The pipeline as the state database knows it."""
        return Plan(
            self.name,
            tuple(PlannedStep(step.name, step.needed) for step in self.in_order),
            dict(self.kinds),
            tuple(reply.name for reply in self.replies),
            self.on_duplicate,
        )

    @cached_property
    def kinds(self) -> Mapping[str, str]:
        """Each status with which a step can end, and its kind."""
        failures = {step.failed: "error" for step in self.steps}
        return {**BUILT_IN, **failures, **self.statuses}

    @cached_property
    def failures(self) -> str:
        """The statuses with which a step can fail, for a sentence."""
        return listed(sorted(status for status, kind in self.kinds.items() if kind != "ok"), 20)

    @cached_property
    def in_order(self) -> Sequence[Step]:
        """The steps, each after those that it needs; those on one level as they were given."""
        left, found = list(self.steps), list[Step]()
        while left:
            known = {step.name for step in found}
            ready = [step for step in left if step.needed.keys() <= known]
            assert ready, "check refuses circles"
            found += ready
            left = [step for step in left if step not in ready]
        return found

    def step(self, name: str) -> Step:
        """The step of a name.

        Raises:
            BadSetting: there is none; the error tells all.
        """
        for step in self.steps:
            if step.name == name:
                return step
        names = listed([step.name for step in self.steps], 20)
        raise BadSetting("STEP", name, f"{self.name} has no such step; its steps are {names}")
