"""The plan of a pipeline: its steps in the order of their needs, and the kinds of its statuses, as far as rows go.

It is kept in the state database, so that a process without the pipeline's functions can add items: a task in a process
of its own, for example.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import Connection, insert, select, update

from janitor.state.item_tables import item_pipelines

_ONE = select(item_pipelines.c.content)


@dataclass(frozen=True)
class PlannedStep:
    """A step, and the status that it needs of each step before it."""

    name: str
    needs: Mapping[str, str]


@dataclass(frozen=True)
class Plan:
    """A pipeline's steps, each after those that it needs; `kinds` has every status with which a step can end.

    `replies` are the names of what is told when an item has ended. `on_duplicate` says what becomes of a key that is
    there already.
    """

    pipeline: str
    steps: tuple[PlannedStep, ...]
    kinds: Mapping[str, str]
    replies: tuple[str, ...] = ()
    on_duplicate: str = "reply"

    def lane(self, step: str) -> str:
        """The name of a step's rows in the index: its job's id."""
        return lane_of(self.pipeline, step)

    @property
    def lanes(self) -> Sequence[str]:
        """The lanes of its steps and replies."""
        return [self.lane(name) for name in (*(step.name for step in self.steps), *self.replies)]

    def has(self, step: str) -> bool:
        """Whether it has a step of this name."""
        return any(one.name == step for one in self.steps)

    def text(self) -> str:
        """The plan as JSON."""
        content = {
            "steps": [[step.name, dict(step.needs)] for step in self.steps],
            "kinds": dict(self.kinds),
            "replies": list(self.replies),
            "on_duplicate": self.on_duplicate,
        }
        return json.dumps(content, ensure_ascii=False)

    @classmethod
    def of_text(cls, pipeline: str, text: str) -> Self:
        """The plan that a text holds."""
        content: dict[str, Any] = json.loads(text)
        steps = tuple(PlannedStep(name, needs) for name, needs in content["steps"])
        return cls(pipeline, steps, content["kinds"], tuple(content["replies"]), content["on_duplicate"])


def lane_of(pipeline: str, name: str) -> str:
    """The id of the job of a pipeline's step, inbox or reply."""
    return f"{pipeline}.{name}"


def load(connection: Connection, pipeline: str) -> Plan | None:
    """The plan of a pipeline; None if no daemon has ever had it."""
    text = connection.execute(_ONE.where(item_pipelines.c.name == pipeline)).scalar_one_or_none()
    return None if text is None else Plan.of_text(pipeline, text)


def names(connection: Connection) -> list[str]:
    """The pipelines that were ever known."""
    return list(connection.execute(select(item_pipelines.c.name).order_by(item_pipelines.c.name)).scalars())


def save(connection: Connection, plan: Plan) -> bool:
    """Keep a plan; whether it is another one than before: then open items are still to be fitted to it."""
    text, own = plan.text(), item_pipelines.c.name == plan.pipeline
    known = connection.execute(select(item_pipelines.c.content).where(own).with_for_update()).scalar_one_or_none()
    if known == text:
        return False
    if known is None:
        connection.execute(insert(item_pipelines).values(name=plan.pipeline, content=text, is_fitted=True))
        return True
    connection.execute(update(item_pipelines).where(own).values(content=text, is_fitted=False))
    return True


def unfitted(connection: Connection) -> list[str]:
    """The pipelines whose plan has changed, and whose open items are not fitted to it yet."""
    query = select(item_pipelines.c.name).where(item_pipelines.c.is_fitted.is_(False))
    return list(connection.execute(query).scalars())


def note_fitted(connection: Connection, plan: Plan) -> None:
    """Note that all open items have the steps of this plan, if it is still the plan."""
    same = (item_pipelines.c.name == plan.pipeline) & (item_pipelines.c.content == plan.text())
    connection.execute(update(item_pipelines).where(same).values(is_fitted=True))
