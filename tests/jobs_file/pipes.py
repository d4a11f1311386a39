"""Pipelines for tests of jobs files: the functions and classes that they name, and the shortest file with one."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from janitor.errors import BadSetting, Rejected, Unavailable
from janitor.items import New, add_all
from janitor.items.ends import Answer, Place, Reply, Sender, Store, Take
from janitor.items.item import Item
from janitor.items.pipeline import Pipeline
from janitor.items.pipelines import pipelines_of
from janitor.jobs import Job
from janitor.needs import Need, ServiceNeed
from janitor.runs import current_run
from janitor.settings import Settings
from tests.jobs_file import files

HERE = "tests.jobs_file.pipes"
PIPE = "pipelines:\n  p:\n    steps:\n      a: {function: PIPES:well}\n"
"""The beginning of a jobs file with one pipeline of one step."""
STEP = "pipelines:\n  p:\n    steps:\n      a:\n        function: PIPES:well\n"
"""The same, and the keys of its step follow."""
EVERY_CLASS = """
    inboxes:
      mine: {use: "PIPES:OwnInbox", folder: in, reading: {key_field: ETag}}
    replies:
      told: {use: "PIPES:OwnReply", words: [a, b]}
    store: {use: "PIPES:OwnStore"}
"""


def with_pipes(text: str) -> str:
    """A file's text in which PIPES stands for this module."""
    return text.replace("PIPES", HERE)


def write(folder: Path, text: str, name: str = "jobs.yaml") -> Path:
    """Write a jobs file, as `files.write` does."""
    return files.write(folder, with_pipes(text), name)


def mistakes(folder: Path, text: str, **environment: str) -> list[str]:
    """The mistakes of a jobs file, a line for each."""
    return files.mistakes(folder, with_pipes(text), **environment)


def jobs(folder: Path, text: str, **environment: str) -> dict[str, Job]:
    """The jobs of a jobs file without mistakes."""
    return files.loaded(folder, with_pipes(text), **environment).jobs


def pipeline(folder: Path, text: str, **environment: str) -> Pipeline:
    """The one pipeline of a jobs file without mistakes."""
    (found,) = pipelines_of(jobs(folder, text, **environment)).values()
    return found


def well(item: Item) -> None:
    """Do nothing, and end as processed."""


def badly(item: Item) -> None:
    """Fail."""
    raise ValueError("not this one")


def until_told(item: Item) -> None:
    """Take until a file is there, with a safe point every 20 ms."""
    item.result = {"began": True}
    while not Path(os.environ["UNTIL"]).exists():
        current_run().sleep(0.02)


def feed(keys: Sequence[str]) -> None:
    """Add items to the pipeline `p`."""
    add_all("p", [New(key) for key in keys])


def two(item: Item, other: Any) -> None:
    """No step: it wants more than an item."""


def clean(item: Any) -> None:
    """Clean up."""


def at(moment: float) -> Callable[[], float]:
    """No step: another kind of function."""
    return time.time


@dataclass(frozen=True)
class How:
    """A part of an inbox."""

    key_field: str = "key"
    most: int = 7


@dataclass(frozen=True)
class OwnInbox:
    """An inbox with a field of each kind."""

    name: str
    folder: str
    reading: How = field(default_factory=How)
    pause: timedelta = timedelta(seconds=5)
    where: Path = Path("here")
    pick: Callable[[Any], Any] = clean
    kind: Literal["new", "old"] = "new"
    share: float | None = None
    tags: Mapping[str, str] | Sequence[str] = ()
    settings: Settings | None = field(default=None, repr=False, compare=False)
    _held: list[str] = field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.folder == "nowhere":
            raise BadSetting("folder", self.folder, "give a folder")
        if self.share is not None and not 0 < self.share < 1:
            raise BadSetting("share", self.share, "give a number between 0 and 1")
        if self.kind == "old" and self.tags:
            raise BadSetting("tags", self.tags, "leave them out, old ones have none")

    @property
    def requires(self) -> Sequence[Need]:
        """Its folder."""
        return (ServiceNeed(f"the folder {self.folder}", self.look, ("OWN_FOLDER",)),)

    def look(self, settings: Settings) -> Sequence[str]:
        """What is worth knowing of its folder."""
        return look(self.folder)

    def receive(self, settings: Settings, take: Take) -> Mapping[str, int]:
        """Receive nothing."""
        return {}


def look(what: str) -> Sequence[str]:
    """What a service tells: one sentence, none, or what is wrong."""
    if what == "away":
        raise Unavailable("it is away")
    if what == "broken":
        raise KeyError("rack")
    return [] if what == "quiet" else [f"{what} has room for 7 files"]


@dataclass(frozen=True)
class OwnReply:
    """A reply; each of its words is a text."""

    name: str
    words: Sequence[str] = ()
    beat_seconds: float = 0.0

    @property
    def requires(self) -> Sequence[Need]:
        """Nothing."""
        return ()

    def open(self, settings: Settings) -> Sender:
        """Nobody is there."""
        raise Rejected("nobody is there")


@dataclass(frozen=True)
class OwnStore:
    """A store that has nothing."""

    tags: Sequence[str] = ()

    @property
    def requires(self) -> Sequence[Need]:
        """Nothing."""
        return ()

    def find(self, settings: Settings, pipeline: str, key: str) -> Place | None:
        """Nothing is there."""
        return None

    def put(self, settings: Settings, pipeline: str, key: str, content: bytes, tags: Mapping[str, str]) -> Place:
        """It keeps nothing."""
        raise Rejected("it keeps nothing")


@dataclass(frozen=True)
class Telling:
    """An inbox that brings a reply of its own, and may bring another."""

    name: str
    answer: Reply | None = None

    requires: Sequence[Need] = ()

    @property
    def reply(self) -> OwnReply:
        """Its own reply."""
        return OwnReply(f"{self.name}_back")

    def receive(self, settings: Settings, take: Take) -> Mapping[str, int]:
        """Receive nothing."""
        return {}


@dataclass(frozen=True)
class Asks:
    """A step's function with a store and a number of times."""

    times: int
    store: Store | None = None
    name: str = ""

    def __call__(self, item: Item) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class Strict:
    """A step's function that takes no values at all."""

    times: int = 1

    def __post_init__(self) -> None:
        raise RuntimeError("not today")

    def __call__(self, item: Item) -> None:
        """Do nothing."""


class Plain:
    """No dataclass."""

    def __call__(self, item: Item) -> None:
        """Do nothing."""


class Evil:
    """What raises if it is asked for anything."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("not asked for")


evil = Evil()


def told(answer: Answer) -> str:
    """What is told of an answer."""
    return answer.key
