"""A rendered jobs file as YAML: each entry's keys and values, and the line of each."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from janitor.jobs.results import Result
from janitor.jobs_file.mistakes import Mistake, Place
from janitor.jobs_file.template import Rendered

try:
    from yaml import CSafeLoader as Loader
except ImportError:  # a build of PyYAML without libyaml, which is ten times slower
    from yaml import SafeLoader as Loader  # type: ignore[assignment]

RESULT_TAG = "!result"
SHAPE = "give a top-level list: 'jobs:' and under it one '- id: ...' for each job"


@dataclass
class Entry:
    """One item of `jobs:` as it was written; `places` has the line of each of its keys."""

    number: int
    place: Place
    values: dict[str, Any] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    results: list[tuple[str, Place]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The entry as messages call it: by its id where it has one."""
        job_id = self.values.get("id")
        return f"job {job_id}" if isinstance(job_id, str) and job_id else f"job number {self.number}"

    def mistake(self, key: str, text: str, place: Place | None = None) -> Mistake:
        """What is wrong with a key's value."""
        return Mistake(place or self.places.get(key, self.place), f"{self.name}: {key}", text)


class _Loader(Loader):
    """PyYAML's safe loader, which also knows `!result JOB`."""


def _result(loader: Any, node: yaml.Node) -> Result:
    if not isinstance(node, yaml.ScalarNode) or not str(node.value).strip():
        raise yaml.constructor.ConstructorError(None, None, "give '!result' and a job's id", node.start_mark)
    return Result(str(node.value).strip())


_Loader.add_constructor(RESULT_TAG, _result)


def read(rendered: Rendered) -> tuple[list[Entry], list[Mistake]]:
    """The entries of a rendered jobs file, and what is wrong with it as YAML."""
    mistakes: list[Mistake] = []
    loader = _Loader(rendered.text)
    try:
        root = loader.get_single_node()
        entries = list(_entries(loader, root, rendered, mistakes))
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        said = ", ".join(part for part in (exc.context, exc.problem) if part)
        return [], [*mistakes, Mistake(rendered.place(mark.line if mark else 0), "", f"it is not YAML: {said}")]
    except yaml.YAMLError as exc:
        return [], [*mistakes, Mistake(rendered.place(0), "", f"it is not YAML: {' '.join(str(exc).split())}")]
    finally:
        loader.dispose()
    return entries, mistakes


def _entries(loader: Any, root: Any, rendered: Rendered, mistakes: list[Mistake]) -> Iterator[Entry]:
    def at(node: Any) -> Place:
        return rendered.place(node.start_mark.line)

    if not isinstance(root, yaml.MappingNode):
        mistakes.append(Mistake(rendered.place(0) if root is None else at(root), "", SHAPE))
        return
    jobs = None
    for key, value in root.value:
        if key.value == "jobs" and jobs is None:
            jobs = value
        elif key.value == "jobs":
            mistakes.append(Mistake(at(key), "jobs", "it is given twice: put all jobs into one list"))
        elif not str(key.value).startswith("x-"):
            text = f"unknown key {key.value!r}: {SHAPE}; a key of your own, for anchors, begins with 'x-'"
            mistakes.append(Mistake(at(key), "", text))
    empty = isinstance(jobs, yaml.ScalarNode) and jobs.value in ("", "~", "null")
    if jobs is None or not (empty or isinstance(jobs, yaml.SequenceNode)):
        mistakes.append(Mistake(at(root) if jobs is None else at(jobs), "" if jobs is None else "jobs", SHAPE))
        return
    for number, node in enumerate([] if empty else jobs.value, 1):
        if not isinstance(node, yaml.MappingNode):
            mistakes.append(Mistake(at(node), f"job number {number}", "give keys and values, such as 'id: crawl'"))
            continue
        yield _entry(loader, node, number, rendered, mistakes)


def _entry(loader: Any, node: Any, number: int, rendered: Rendered, mistakes: list[Mistake]) -> Entry:
    entry = Entry(number, rendered.place(node.start_mark.line))
    twice = list(_given_twice(node, ()))
    loader.flatten_mapping(node)  # '<<' merges another mapping in, whose keys come first and count less
    for key, value in node.value:
        name = str(key.value) if isinstance(key, yaml.ScalarNode) else "(a key that is no text)"
        entry.places[name] = rendered.place(key.start_mark.line)
        entry.values[name] = loader.construct_object(value, deep=True)
        entry.results += [(job, rendered.place(line)) for job, line in _referred(value)]
    for name, line in twice:
        mistakes.append(Mistake(rendered.place(line), f"{entry.name}: {name}", "it is given twice: keep one"))
    return entry


def _given_twice(node: Any, path: tuple[Any, ...]) -> Iterator[tuple[str, int]]:
    """The keys that one mapping has more than once, anywhere in an entry, each with its line."""
    if any(node is one for one in path):
        raise yaml.constructor.ConstructorError(None, None, "an anchor refers to itself", node.start_mark)
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                if key.value in seen:
                    yield str(key.value), key.start_mark.line
                seen.add(key.value)
            yield from _given_twice(value, (*path, node))
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _given_twice(value, (*path, node))


def _referred(node: Any) -> Iterator[tuple[str, int]]:
    """The jobs that `!result` names within a value, each with its line."""
    if node.tag == RESULT_TAG:
        yield str(node.value).strip(), node.start_mark.line
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _referred(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _referred(value)
