"""A step: a plain function of one item, with what it needs and how it is run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from janitor.jobs.job import Isolation
from janitor.needs import Need
from janitor.state.item_states import FAILURE, PROCESSED

Record = Literal["batch", "each"]
ITEM_SECONDS = 600.0
"""How long a step may take for one item, if nothing else is said."""
ITEMS_PER_CHILD = 1_000
AS_SOON_AS = "with work"
"""The schedule of a step that is run whenever there is an item for it."""


@dataclass(frozen=True)
class Step:
    """A step of a pipeline; each is a job with the id `pipeline.step`.

    - `name`: up to 63 letters, digits, '_' or '-'.
    - `func`: called with an `Item`; None that it returns is `processed`, a text is a status.
    - `needs`: the steps before it: a mapping from step to the exact status, or a list of those that must be
      `processed`. Direct parents are enough.
    - `failed`: the status if it raises; one of kind error.
    - `retries`: how often a failed try is repeated, after 1, 2, 4, ... seconds and a little by chance. A try that ended
      well, but over its `timeout`, has failed and is not repeated: its work is done.
    - `timeout`: seconds for one item. In a thread the item ends at its next safe point; in a process it is killed.
    - `workers`: how many items are at work at the same time.
    - `isolation`: `"thread"`, or `"process"`: a child process that takes many items, one after the other.
    - `items_per_child`: after so many items a child is replaced.
    - `schedule`: when items are looked for: whenever there are any, or `every 5m`, `cron 0 2 * * *`, `by hand`.
    - `enabled`: False, or a text that says why, switches it off.
    - `record`: `"batch"` records what is done within 50 ms, with others; `"each"` before the next item begins.
    - `cleanup`: called with a `runs.PastItem` before an item is deleted, by its age or by a person, for what the step
      left behind.
    - `requires`: what the function needs from outside; `check` looks at it.
    - `title`, `notes`, `tags`, `protect`: as for `add_job`.
    """

    name: str
    func: Callable[..., object]
    needs: Mapping[str, str] | Sequence[str] = ()
    failed: str = FAILURE
    retries: int = 0
    timeout: float = ITEM_SECONDS
    workers: int = 1
    isolation: Isolation = "thread"
    items_per_child: int = ITEMS_PER_CHILD
    schedule: str = AS_SOON_AS
    enabled: bool | str = True
    record: Record = "batch"
    cleanup: Callable[..., object] | None = None
    requires: Sequence[Need] = field(default=())
    title: str = ""
    notes: str = ""
    tags: Sequence[str] = ()
    protect: bool = False

    @property
    def needed(self) -> Mapping[str, str]:
        """The status that it needs of each step before it."""
        if isinstance(self.needs, Mapping):
            return dict(self.needs)
        return dict.fromkeys(self.needs, PROCESSED)

    @property
    def options(self) -> Mapping[str, Any]:
        """What its job's description tells beside the job's own options."""
        return {
            "needs": dict(self.needed),
            "failed": self.failed,
            "retries": self.retries,
            "seconds for an item": self.timeout,
            "workers": self.workers,
            "isolation": self.isolation,
            "record": self.record,
        }
