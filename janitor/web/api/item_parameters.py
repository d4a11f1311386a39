"""What requests about items may say: names in paths, filters, and bodies."""

from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema

from janitor.state.item_adding import MOST_KEY
from janitor.state.item_search import Wanted
from janitor.web import chosen
from janitor.web.api.parameters import AnId, Body, Flag, Instant
from janitor.web.queries import models

MOST_ITEMS = 1_000
"""So many items one request may add."""
MOST_BODY = 2 * 1024 * 1024
"""The largest body of a request that adds items: bytes."""
_TEXT = r"^[^\x00]*$"
_WORDS = r"^[^\x00]*\S[^\x00]*$"
_KEYS = r"^([^\x00*]*\*|[^\x00]*[^\x00*])$"
_ANY_KEY = "One key; with a * at its end, all keys that begin so."
_STATE = "open, done or failed, of the item or of `step`; waiting, ready, later, processing, blocked or left out."


def _whole(value: object) -> object:
    """A whole number; JSON may write it with a point and a zero."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


PipelineName = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_\-]{0,62}$", description="The pipeline's name.")]
Key = Annotated[
    str, Path(min_length=1, max_length=MOST_KEY, pattern=_TEXT, description="The item's key; it may hold slashes.")
]
LetterId = Annotated[int, Path(ge=1, le=2**53, description="The dead letter's id.")]
After = Annotated[AnId | None, Query(description="`next_after` of the last page.")]
StateName = Literal["open", "waiting", "ready", "later", "processing", "done", "failed", "blocked", "left out"]
Name = Annotated[str, Field(max_length=64, pattern=_TEXT)]
Note = Annotated[str, Field(max_length=2_000, pattern=_WORDS, examples=["its picture is black"])]


class ItemsQuery(models.Model):
    """The query of a list of items; a name that is not known is left out."""

    model_config = ConfigDict(extra="ignore")

    step: Name | None = Field(None, description="Only items at this step, in the state or status that is asked for.")
    status: Name | None = Field(None, description="Only items with this status, at `step` or at any step.")
    state: StateName | None = Field(None, description=f"Only items in this state: {_STATE}")
    key: str | None = Field(None, max_length=MOST_KEY + 1, pattern=r"^[^\x00*]*\*?$", description=_ANY_KEY)
    flagged: Flag = Field(False, description="Only items with a flag that nobody has resolved.")
    after: After = None
    limit: Annotated[int, Query(ge=1, le=500, description="How many at most.")] = 50

    def wanted(self, pipeline: str) -> Wanted:
        """What the items must fit."""
        return Wanted(pipeline, self.step, self.status, self.state, self.key, self.flagged)


class HistoryQuery(models.Model):
    """The query of a history of counts; a name that is not known is left out."""

    model_config = ConfigDict(extra="ignore")

    since: Instant | None = Field(None, description="From this instant on; a day before `until` if it is left out.")
    until: Instant | None = Field(None, description="Up to this instant; now if it is left out.")
    limit: Annotated[int, Query(ge=1, le=500, description="How many moments at most.")] = 100


class Meant(Body):
    """Which items are meant: those for which all that is given holds, if these are `most` at the most."""

    key: str = Field(max_length=MOST_KEY, min_length=1, pattern=_KEYS, description=f"{_ANY_KEY} `*` is all items.")
    step: Name | None = Field(None, description="Only items at this step, in the state or status that is asked for.")
    status: Name | None = Field(None, description="Only items with this status, at `step` or at any step.")
    state: StateName | None = Field(None, description=f"Only items in this state: {_STATE}")
    flagged: bool = Field(False, description="Only items with a flag that nobody has resolved.")
    most: Annotated[int, Field(ge=0, le=chosen.MOST), BeforeValidator(_whole)] = Field(
        chosen.MOST, description="If more items fit, nothing is done: 409."
    )

    @property
    def is_one(self) -> bool:
        """Whether the key is that of one item."""
        return not self.key.endswith("*")

    def wanted(self, pipeline: str) -> Wanted:
        """What the items must fit."""
        key = None if self.is_one else self.key
        return Wanted(pipeline, self.step, self.status, self.state, key, self.flagged)


class RetryItems(Meant):
    """Which steps of which items are tried again."""

    at_step: Name | None = Field(None, description="Only this step of them; null for all that failed.")


class RetryReplies(Body):
    """Whose replies are sent again."""

    key: str | None = Field(
        None, min_length=1, max_length=MOST_KEY, pattern=_TEXT, description="One item's key; null for all items."
    )


class ResetItems(Meant):
    """From which step on which items are done again."""

    from_step: Name


class DropItems(Meant):
    """Which items are deleted."""

    note: Note = Field(description="Why.")


class FlagItem(Body):
    """An item that people are to look at."""

    key: str = Field(min_length=1, max_length=MOST_KEY, pattern=_TEXT, description="Its key.")
    note: Note = Field(description="What they are to look at.")


class ResolveItem(Body):
    """A flag that is over."""

    key: str = Field(min_length=1, max_length=MOST_KEY, pattern=_TEXT, description="The key of the item.")
    note: Annotated[str, Field(max_length=2_000, pattern=_TEXT)] = Field("", description="What became of it.")


class DropLetters(Body):
    """Dead letters that count no more."""

    letters: list[Annotated[int, Field(ge=1, le=2**53), BeforeValidator(_whole)]] = Field(
        min_length=1, max_length=500, description="Their ids."
    )


def _items(value: object) -> object:
    given = [value] if isinstance(value, dict) else value
    if not isinstance(given, list) or len(given) > MOST_ITEMS:
        raise ValueError(f"give an object, or a list of up to {MOST_ITEMS:,} objects")
    return given


_OBJECT = {"type": "object", "additionalProperties": True}
NewItems = Annotated[
    list[Any],
    BeforeValidator(_items),
    # Of a list each element is looked at by itself: one that is no object is told, and the others are added.
    WithJsonSchema({"anyOf": [_OBJECT, {"type": "array", "items": {}, "maxItems": MOST_ITEMS}]}),
    Field(description="One item, or up to 1,000: each an object with its key under `key`; all of it is its arguments."),
]
