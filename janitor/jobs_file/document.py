"""Reads a rendered jobs file as YAML: the entries of `jobs:` and `pipelines:`, with the line of each key.

PyYAML's safe loader builds the values. The nodes are walked by hand before that: only they know lines, keys given
twice, and anchors that refer to themselves. What the nodes would grow to, all anchors written out, is counted first: a
few lines of anchors may stand for more values than there is memory.
"""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import yaml

from janitor.errors import summary
from janitor.guard import foreign_code
from janitor.jobs.results import Result
from janitor.jobs_file.entry import Entry
from janitor.jobs_file.mistakes import Mistake, Place, shown
from janitor.jobs_file.nodes import RESULT_TAG, Twice, given_twice, is_null, kind_of, note_twice, referred
from janitor.jobs_file.part import Part
from janitor.jobs_file.template import Rendered

try:
    from yaml import CSafeLoader as Loader
except ImportError:  # PyYAML was built without libyaml; this loader takes ten times as long
    from yaml import SafeLoader as Loader  # type: ignore[assignment]

SHAPE = "give a top-level list: 'jobs:' and under it one '- id: ...' for each job"
PIPELINES_SHAPE = "give 'pipelines:' and under it 'NAME:' for each pipeline"
SHAPES = f"{SHAPE}; or {PIPELINES_SHAPE.removeprefix('give ')}"
TWICE = "it is given twice: keep one"
NO_RESULT = "'!result' has no meaning in a pipeline: a step has what the steps before it left as item.results"
TOP_KEYS = ("jobs", "pipelines")

MOST_DEEP = 100
"""How deep lists and mappings may lie in one another."""
MOST_VALUES = 200_000
"""How many values a file may hold, anchors written out."""


class _Loader(Loader):
    """PyYAML's safe loader, which also reads `!result JOB`. It notes the values that cannot be, and goes on."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.unreadable: dict[int, str] = {}

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            return super().construct_object(node, deep)
        # Its texts go through int(), datetime() and the like, and these raise what they like.
        with foreign_code(partial(self._refuse, node)):
            value = super().construct_object(node, deep)
            str(value)  # a hexadecimal number may have more digits than Python writes
            return value
        return str(node.value)

    def _refuse(self, node: yaml.ScalarNode, error: BaseException) -> None:
        if isinstance(error, yaml.YAMLError):
            raise error
        # It may come to this node again, by way of an anchor, or as the part of a mapping.
        self.constructed_objects[node] = str(node.value)
        kind = node.tag.rpartition(":")[2]
        self.unreadable[node.start_mark.line] = (
            f"{shown(node.value)} is no {kind} that can be read: a text wants quotes"
        )


def _result(loader: Any, node: yaml.Node) -> Result:
    if not isinstance(node, yaml.ScalarNode) or not str(node.value).strip():
        raise yaml.constructor.ConstructorError(None, None, "give '!result' and a job's id", node.start_mark)
    return Result(str(node.value).strip())


_Loader.add_constructor(RESULT_TAG, _result)

_BARE = re.compile(r"[:,\[{-]\s+([@`%*])")
"""A value that begins with a character that YAML keeps for itself."""


def value_of(text: str) -> Any:
    """The value that a YAML text stands for.

    Raises:
        YAMLError: it is not YAML.
    """
    return yaml.load(text, Loader=_Loader)


class Contents(NamedTuple):
    """What a jobs file holds: the entries of `jobs:`, the pipelines, and its mistakes as YAML."""

    entries: list[Entry]
    pipelines: list[Part]
    mistakes: list[Mistake]


def read(rendered: Rendered) -> Contents:
    """Return what a rendered jobs file holds. If it is not YAML, that is a mistake alone."""
    # A text may hold what PyYAML never thought of: half a surrogate pair, say.
    with foreign_code(partial(_not_yaml, rendered)) as reading:
        _check_size(rendered.text)
        return _read(rendered)
    return Contents([], [], [reading.instead] if reading.instead else [])


def _read(rendered: Rendered) -> Contents:
    reading = _Reading(rendered)
    try:
        return reading.contents()
    finally:
        reading.close()


def _not_yaml(rendered: Rendered, error: BaseException) -> Mistake:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if isinstance(error, yaml.MarkedYAMLError):
        said = ", ".join(part for part in (error.context, error.problem) if part)
    else:
        said = " ".join((str(error) if isinstance(error, yaml.YAMLError) else summary(error)).split())
    position = getattr(error, "position", None)
    line = mark.line if mark else rendered.text.count("\n", 0, position if isinstance(position, int) else 0)
    hint = _hint(rendered.text, line) if isinstance(error, yaml.scanner.ScannerError) else ""
    return Mistake(rendered.place(line), "", f"it is not YAML: {said[:300]}{hint}")


def _hint(text: str, line: int) -> str:
    """What may be meant by a line that is not YAML: `schedule: @daily` and `schedule: */5 * * * *` want quotes."""
    bare = _BARE.search("".join(text.split("\n")[line : line + 1]))
    return f"; put quotes around a value that begins with {bare[1]}" if bare else ""


def _check_size(text: str) -> None:
    """Refuse a text with too many values, or too deep in one another, before anything goes down into them."""
    depth = values = 0
    for event in yaml.parse(text, Loader=Loader):
        values += isinstance(event, yaml.NodeEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_DEEP or values > MOST_VALUES:
            raise _too_large(event.start_mark)


def _too_large(mark: Any) -> yaml.MarkedYAMLError:
    text = f"it has more than {MOST_VALUES:,} values, or lists more than {MOST_DEEP} deep, with all anchors written out"
    return yaml.constructor.ConstructorError(None, None, text, mark)


class _Reading:
    """One pass over a document; it collects the `mistakes`."""

    def __init__(self, rendered: Rendered) -> None:
        self.mistakes: list[Mistake] = []
        self._rendered = rendered
        self._loader: Any = _Loader(rendered.text)
        self._twice: Twice = {}

    def close(self) -> None:
        self._loader.dispose()

    def contents(self) -> Contents:
        root = self._loader.get_single_node()
        _Sizes().of(root)
        note_twice(root, self._twice)
        jobs, pipelines = self._top(root)
        return Contents(list(self._entries(jobs)), list(self._pipelines(pipelines)), self.mistakes)

    def _entries(self, jobs: Any) -> Iterator[Entry]:
        if jobs is not None and not isinstance(jobs, yaml.SequenceNode):
            self._add(jobs, "jobs", SHAPE)
            return
        for number, node in enumerate([] if jobs is None else jobs.value, 1):
            if isinstance(node, yaml.MappingNode):
                yield self._entry(node, number)
            else:
                self._add(node, f"job number {number}", "give keys and values, such as 'id: crawl'")

    def _pipelines(self, pipelines: Any) -> Iterator[Part]:
        if pipelines is not None and not isinstance(pipelines, yaml.MappingNode):
            self._add(pipelines, "pipelines", PIPELINES_SHAPE)
        elif pipelines is not None:
            for name, line in self._twice[id(pipelines)]:
                self.mistakes.append(Mistake(self._rendered.place(line), f"pipeline {name}", TWICE))
            self._loader.flatten_mapping(pipelines)
            for key, node in dict((_key_text(key), (key, node)) for key, node in pipelines.value).values():
                if isinstance(node, yaml.MappingNode):
                    yield self._part(key, node, _key_text(key), ())
                else:
                    self._add(node, f"pipeline {_key_text(key)}", "give keys and values, such as 'steps:'")

    def _top(self, root: Any) -> tuple[Any, Any]:
        """Find the nodes under `jobs:` and `pipelines:`; None for nothing."""
        found: dict[str, Any] = {}
        if isinstance(root, yaml.MappingNode):
            for key, value in root.value:
                name = _key_text(key)
                if name in TOP_KEYS and name not in found:
                    found[name] = value
                elif name in TOP_KEYS:
                    self._add(key, name, f"it is given twice: put all {name} into one {kind_of(found[name])}")
                elif not name.startswith("x-"):
                    said = repr(name) if isinstance(key, yaml.ScalarNode) else "that is a list or a mapping"
                    text = f"unknown key {said}: {SHAPES}; a key of your own, for anchors, begins with 'x-'"
                    self._add(key, "", text)
        if not found:
            self._add(root, "", SHAPES)
        jobs, pipelines = (None if is_null(found.get(name)) else found[name] for name in TOP_KEYS)
        return jobs, pipelines

    def _entry(self, node: Any, number: int) -> Entry:
        twice = list(given_twice(node, self._twice))
        # '<<' merges another mapping in. Its keys come first, so the entry's own keys win.
        self._loader.flatten_mapping(node)
        keys = [(_key_text(key), key, value) for key, value in node.value]
        built = {name: self._built(value) for name, _, value in keys}
        entry = Entry(
            number,
            place=self._place(node),
            values={name: value for name, (value, _) in built.items()},
            places={name: self._place(key) for name, key, _ in keys},
            results=[(job, self._rendered.place(line)) for _, _, value in keys for job, line in referred(value)],
        )
        for name, (_, unreadable) in built.items():
            self.mistakes += [entry.mistake(name, text, self._rendered.place(line)) for line, text in unreadable]
        for name, line in twice:
            self.mistakes.append(entry.mistake(name, TWICE, self._rendered.place(line)))
        return entry

    def _part(self, key: Any, node: Any, pipeline: str, path: tuple[str, ...]) -> Part:
        """A mapping of a pipeline, and all mappings in it."""
        self._loader.flatten_mapping(node)
        keys = {_key_text(key): (key, value) for key, value in node.value}
        parts = {
            name: self._part(key, value, pipeline, (*path, name))
            for name, (key, value) in keys.items()
            if isinstance(value, yaml.MappingNode)
        }
        # The parts are built already, so what cannot be read in them is told once.
        built = {name: self._built(value) for name, (_, value) in keys.items()}
        part = Part(
            pipeline,
            path,
            place=self._place(key),
            values={name: value for name, (value, _) in built.items()},
            places={name: self._place(key) for name, (key, _) in keys.items()},
            parts=parts,
        )
        told = [(name, text, line) for name, (_, unreadable) in built.items() for line, text in unreadable]
        told += [(name, TWICE, line) for name, line in self._twice[id(node)]]
        for name, value in ((name, value) for name, (_, value) in keys.items() if name not in parts):
            told += [(name, f"{inner}: {TWICE}", line) for inner, line in given_twice(value, self._twice)]
            told += [(name, NO_RESULT, line) for _, line in referred(value)]
        self.mistakes += [part.mistake(name, text, self._rendered.place(line)) for name, text, line in told]
        return part

    def _built(self, node: Any) -> tuple[Any, list[tuple[int, str]]]:
        """A key's value, and what in it cannot be read, with its lines."""
        self._loader.unreadable.clear()
        value = self._loader.construct_object(node, deep=True)
        return value, list(self._loader.unreadable.items())

    def _place(self, node: Any) -> Place:
        return self._rendered.place(0 if node is None else node.start_mark.line)

    def _add(self, node: Any, where: str, text: str) -> None:
        self.mistakes.append(Mistake(self._place(node), where, text))


def _key_text(key: Any) -> str:
    return str(key.value) if isinstance(key, yaml.ScalarNode) else "(a key that is no text)"


class _Sizes:
    """How many values each node stands for, and how deep they lie; each node is counted once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[int, int] | None] = {}

    def of(self, node: Any) -> tuple[int, int]:
        """Count a node's values, and tell how deep they lie.

        Raises:
            ConstructorError: they are too many or too deep, or an anchor refers to itself.
        """
        if not isinstance(node, yaml.CollectionNode):
            return 1, 0
        if id(node) in self._known:
            known = self._known[id(node)]
            if known is None:
                raise yaml.constructor.ConstructorError(None, None, "an anchor refers to itself", node.start_mark)
            return known
        self._known[id(node)] = None
        parts = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
        found = [self.of(part) for part in parts]
        size, depth = 1 + sum(count for count, _ in found), 1 + max((below for _, below in found), default=0)
        if size > MOST_VALUES or depth > MOST_DEEP:
            raise _too_large(node.start_mark)
        self._known[id(node)] = size, depth
        return size, depth
