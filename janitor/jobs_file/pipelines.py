"""Pipelines in a jobs file: each is checked by itself, with the line and the key path of every mistake.

a part (part.py)
  | keys.py      reads what stands by itself
  | steps.py     the steps, and how they fit together
  | objects.py   inboxes, replies, the store
  | schemas.py   what messages must look like
  v
what `Scheduler.jobs_of_pipeline` makes jobs of
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from janitor.errors import summary
from janitor.guard import foreign_code
from janitor.items.pipeline import MOST_ID, NAME
from janitor.jobs.job import is_id
from janitor.jobs_file import functions, objects, schemas, steps
from janitor.jobs_file.keys import PIPELINE_KEYS, no_such_key, status
from janitor.jobs_file.mistakes import Mistake, Wrong, shown
from janitor.jobs_file.objects import INBOX, REPLY, STORE, USE, Role
from janitor.jobs_file.part import Part
from janitor.jobs_file.schemas import SCHEMA
from janitor.settings.settings import Settings
from janitor.state.item_plans import lane_of
from janitor.state.item_states import BUILT_IN, IN_PROCESS, KINDS, NOT_PROCESSED

STEPS, STATUSES, STORED = "steps", "statuses", "store"
ENDS: dict[str, Role] = {"inboxes": INBOX, "replies": REPLY}
KNOWN = (STEPS, STATUSES, *ENDS, STORED, SCHEMA, *PIPELINE_KEYS)
NAME_HELP = "give a name of up to 63 letters, digits, '_' and '-'"
KINDS_HELP = f"give {', '.join(KINDS[:-1])} or {KINDS[-1]}"


@dataclass(frozen=True)
class Described:
    """A pipeline as it was written, and its `options` as `items.Pipeline` takes them.

    `files` are those that it names, its schemas. If there are mistakes, the options are not whole.
    """

    part: Part
    options: dict[str, Any]
    mistakes: list[Mistake]
    files: list[Path] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The name of the pipeline."""
        return self.part.pipeline

    def jobs(self) -> Iterator[tuple[str, Part, str]]:
        """The id of each job that the file names, with the part and the key that it stands under."""
        for section in _sections(self.part):
            yield from ((lane_of(self.name, key), section, key) for key in section.parts)


def described(part: Part, path: Path, settings: Settings) -> Described:
    """Read a pipeline's values, and find every mistake in them; `path` is the jobs file."""
    # A module that is imported may do anything, also when it is asked for its parts.
    with foreign_code(partial(_unreadable, part)) as reading:
        return _described(part, path, settings)
    return Described(part, {}, [reading.instead] if reading.instead else [])


def changed_modules(part: Part, path: Path) -> Iterator[Mistake]:
    """Find the names in a pipeline whose module is another by now: see `functions.check_still_there`."""
    for key in ("function", "cleanup", USE):
        try:
            if isinstance(value := part.values.get(key), str):
                functions.check_still_there(value, path)
        except Wrong as exc:
            yield part.mistake(key, str(exc))
    for inner in part.parts.values():
        yield from changed_modules(inner, path)


def _unreadable(part: Part, error: BaseException) -> Mistake:
    return part.mistake("", f"its values cannot be taken: {summary(error)[:300]}")


def _described(part: Part, path: Path, settings: Settings) -> Described:
    options, mistakes = _plain(part)
    files: list[Path] = []
    found, told = _statuses(part)
    options[STATUSES] = found
    mistakes += [*told, *_names(part)]
    of_steps, told = _section(part, STEPS)
    read = {name: steps.described(name, inner, settings) for name, inner in of_steps.items()}
    options[STEPS] = [step for step, _ in read.values()]
    mistakes += [*told, *(one for _, wrong in read.values() for one in wrong)]
    mistakes += steps.misfits(of_steps, found)
    if not part.values.get(STEPS):
        mistakes.append(part.mistake(STEPS, "give at least one step"))
    for key, role in ENDS.items():
        inner, told = _section(part, key)
        ends = {name: objects.made(one, role, settings, name) for name, one in inner.items()}
        options[key] = [end for end, _ in ends.values()]
        mistakes += [*told, *(one for _, wrong in ends.values() for one in wrong)]
    if part.values.get(STORED) is not None:
        options[STORED], told = _store(part, settings)
        mistakes += told
    if part.values.get(SCHEMA) is not None:
        options[SCHEMA], told = schemas.described(part, path, files)
        mistakes += told
    return Described(part, options, mistakes, files)


def _plain(part: Part) -> tuple[dict[str, Any], list[Mistake]]:
    """The values that stand by themselves, and the keys that are none."""
    found: dict[str, Any] = {}
    unknown = enumerate(key for key in part.values if key not in KNOWN)
    mistakes = [part.mistake(key, no_such_key(key, KNOWN, number)) for number, key in unknown]
    for key in (key for key in PIPELINE_KEYS if key in part.values):
        try:
            found[key] = PIPELINE_KEYS[key](part.values[key])
        except Wrong as exc:
            mistakes.append(part.mistake(key, str(exc)))
    return found, mistakes


def _sections(part: Part) -> list[Part]:
    """What is written under `steps`, `inboxes` and `replies`."""
    return [part.parts[key] for key in (STEPS, *ENDS) if key in part.parts]


def _section(part: Part, key: str) -> tuple[dict[str, Part], list[Mistake]]:
    """The parts under a key such as `steps`, by name."""
    section = part.parts.get(key)
    if section is None:
        value = part.values.get(key)
        text = f"it is {shown(value)}: give names, and under each its keys and values"
        return {}, [part.mistake(key, text)] if value else []
    wrong = [
        section.mistake(name, f"it is {shown(value)}: give keys and values")
        for name, value in section.values.items()
        if name not in section.parts
    ]
    return section.parts, wrong


def _names(part: Part) -> Iterator[Mistake]:
    """Find names that cannot be names, and names that two parts have."""
    if NAME.fullmatch(part.pipeline) is None:
        yield part.mistake("", NAME_HELP)
    seen: dict[str, str] = {}
    for section in _sections(part):
        for name in section.parts:
            if name in seen:
                yield section.mistake(name, f"{seen[name]} has that name already; give another")
            elif NAME.fullmatch(name) is None:
                yield section.mistake(name, NAME_HELP)
            elif NAME.fullmatch(part.pipeline) is not None and not is_id(lane_of(part.pipeline, name)):
                text = f"{lane_of(part.pipeline, name)} is the id of a job, and has more than {MOST_ID} characters"
                yield section.mistake(name, f"{text}: shorten it")
            seen.setdefault(name, str(section.places[name]))


def _statuses(part: Part) -> tuple[dict[str, str], list[Mistake]]:
    """The statuses of a pipeline, each with its kind; also those that are refused, so that they are known."""
    section = part.parts.get(STATUSES)
    if section is None:
        value = part.values.get(STATUSES)
        text = f"it is {shown(value)}: give statuses and kinds, such as {{no host match: error}}"
        return {}, [part.mistake(STATUSES, text)] if value else []
    wrong: list[Mistake] = []
    for name, kind in section.values.items():
        try:
            status(name)
        except Wrong as exc:
            wrong.append(section.mistake(name, str(exc)))
        if kind not in KINDS:
            wrong.append(section.mistake(name, f"it is {shown(kind)}: {KINDS_HELP}"))
        elif name in (NOT_PROCESSED, IN_PROCESS) or BUILT_IN.get(name, kind) != kind:
            wrong.append(section.mistake(name, "this status is built in: give yours another name"))
    return dict(section.values), wrong


def _store(part: Part, settings: Settings) -> tuple[Any, list[Mistake]]:
    if STORED not in part.parts:
        text = f"it is {shown(part.values[STORED])}: give keys and values, such as {{use: FolderStore, path: results}}"
        return None, [part.mistake(STORED, text)]
    return objects.made(part.parts[STORED], STORE, settings)
