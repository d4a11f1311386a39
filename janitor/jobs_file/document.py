"""Reads a rendered jobs file as YAML: the entries of `jobs:`, with the line of each key.

PyYAML's safe loader builds the values. The nodes are walked by hand before that: only they know lines, keys given
twice, and anchors that refer to themselves.
"""

from collections.abc import Iterator
from typing import Any

import yaml

from janitor.jobs.results import Result
from janitor.jobs_file.entry import Entry
from janitor.jobs_file.mistakes import Mistake, Place
from janitor.jobs_file.template import Rendered

try:
    from yaml import CSafeLoader as Loader
except ImportError:  # PyYAML was built without libyaml; this loader takes ten times as long
    from yaml import SafeLoader as Loader  # type: ignore[assignment]

RESULT_TAG = "!result"
SHAPE = "give a top-level list: 'jobs:' and under it one '- id: ...' for each job"


class _Loader(Loader):
    """PyYAML's safe loader, which also reads `!result JOB`."""


def _result(loader: Any, node: yaml.Node) -> Result:
    if not isinstance(node, yaml.ScalarNode) or not str(node.value).strip():
        raise yaml.constructor.ConstructorError(None, None, "give '!result' and a job's id", node.start_mark)
    return Result(str(node.value).strip())


_Loader.add_constructor(RESULT_TAG, _result)


def read(rendered: Rendered) -> tuple[list[Entry], list[Mistake]]:
    """Return the entries of a rendered jobs file, and its mistakes as YAML. If it is not YAML, there are no entries."""
    reading = _Reading(rendered)
    try:
        entries = list(reading.entries())
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        said = ", ".join(part for part in (exc.context, exc.problem) if part)
        mistake = Mistake(rendered.place(mark.line if mark else 0), "", f"it is not YAML: {said}")
        return [], [*reading.mistakes, mistake]
    except yaml.YAMLError as exc:
        mistake = Mistake(rendered.place(0), "", f"it is not YAML: {' '.join(str(exc).split())}")
        return [], [*reading.mistakes, mistake]
    finally:
        reading.close()
    return entries, reading.mistakes


class _Reading:
    """One pass over a document; it collects the `mistakes`."""

    def __init__(self, rendered: Rendered) -> None:
        self.mistakes: list[Mistake] = []
        self._rendered = rendered
        self._loader: Any = _Loader(rendered.text)

    def close(self) -> None:
        self._loader.dispose()

    def entries(self) -> Iterator[Entry]:
        for number, node in enumerate(self._items(self._loader.get_single_node()), 1):
            if isinstance(node, yaml.MappingNode):
                yield self._entry(node, number)
            else:
                self._add(node, f"job number {number}", "give keys and values, such as 'id: crawl'")

    def _items(self, root: Any) -> list[Any]:
        """Find the nodes under `jobs:`."""
        if not isinstance(root, yaml.MappingNode):
            self._add(root, "", SHAPE)
            return []
        jobs = None
        for key, value in root.value:
            if key.value == "jobs" and jobs is None:
                jobs = value
            elif key.value == "jobs":
                self._add(key, "jobs", "it is given twice: put all jobs into one list")
            elif not str(key.value).startswith("x-"):
                text = f"unknown key {key.value!r}: {SHAPE}; a key of your own, for anchors, begins with 'x-'"
                self._add(key, "", text)
        if jobs is None:
            self._add(root, "", SHAPE)
        elif isinstance(jobs, yaml.SequenceNode):
            return list(jobs.value)
        elif not (isinstance(jobs, yaml.ScalarNode) and jobs.value in ("", "~", "null")):
            self._add(jobs, "jobs", SHAPE)
        return []

    def _entry(self, node: Any, number: int) -> Entry:
        twice = list(_given_twice(node, ()))
        # '<<' merges another mapping in. Its keys come first, so the entry's own keys win.
        self._loader.flatten_mapping(node)
        keys = [(_key_text(key), key, value) for key, value in node.value]
        entry = Entry(
            number,
            place=self._place(node),
            values={name: self._loader.construct_object(value, deep=True) for name, _, value in keys},
            places={name: self._place(key) for name, key, _ in keys},
            results=[(job, self._rendered.place(line)) for _, _, value in keys for job, line in _referred(value)],
        )
        for name, line in twice:
            self.mistakes.append(entry.mistake(name, "it is given twice: keep one", self._rendered.place(line)))
        return entry

    def _place(self, node: Any) -> Place:
        return self._rendered.place(0 if node is None else node.start_mark.line)

    def _add(self, node: Any, where: str, text: str) -> None:
        self.mistakes.append(Mistake(self._place(node), where, text))


def _key_text(key: Any) -> str:
    return str(key.value) if isinstance(key, yaml.ScalarNode) else "(a key that is no text)"


def _given_twice(node: Any, path: tuple[Any, ...]) -> Iterator[tuple[str, int]]:
    """Find the keys that a mapping has twice, at any depth, with their lines. `path` are the nodes above."""
    if any(node is above for above in path):
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
    """Find the jobs that `!result` names within a value, with their lines."""
    if node.tag == RESULT_TAG:
        yield str(node.value).strip(), node.start_mark.line
    elif isinstance(node, yaml.MappingNode):
        for _, value in node.value:
            yield from _referred(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _referred(value)
