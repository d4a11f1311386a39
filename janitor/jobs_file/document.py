"""Reads a rendered jobs file as YAML: the entries of `jobs:`, with the line of each key.

PyYAML's safe loader builds the values. The nodes are walked by hand before that: only they know lines, keys given
twice, and anchors that refer to themselves. What the nodes would grow to, all anchors written out, is counted first: a
few lines of anchors may stand for more values than there is memory.
"""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import yaml

from janitor.errors import summary
from janitor.guard import foreign_code
from janitor.jobs.results import Result
from janitor.jobs_file.entry import Entry
from janitor.jobs_file.mistakes import Mistake, Place, shown
from janitor.jobs_file.template import Rendered

try:
    from yaml import CSafeLoader as Loader
except ImportError:  # PyYAML was built without libyaml; this loader takes ten times as long
    from yaml import SafeLoader as Loader  # type: ignore[assignment]

RESULT_TAG = "!result"
SHAPE = "give a top-level list: 'jobs:' and under it one '- id: ...' for each job"


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


def read(rendered: Rendered) -> tuple[list[Entry], list[Mistake]]:
    """Return the entries of a rendered jobs file, and its mistakes as YAML. If it is not YAML, there are no entries."""
    # A text may hold what PyYAML never thought of: half a surrogate pair, say.
    with foreign_code(partial(_not_yaml, rendered)) as reading:
        _check_size(rendered.text)
        return _read(rendered)
    return [], [reading.instead] if reading.instead else []


def _read(rendered: Rendered) -> tuple[list[Entry], list[Mistake]]:
    reading = _Reading(rendered)
    try:
        entries = list(reading.entries())
    finally:
        reading.close()
    return entries, reading.mistakes


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

    def close(self) -> None:
        self._loader.dispose()

    def entries(self) -> Iterator[Entry]:
        root = self._loader.get_single_node()
        _Sizes().of(root)
        for number, node in enumerate(self._items(root), 1):
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
                name = repr(key.value) if isinstance(key, yaml.ScalarNode) else "that is a list or a mapping"
                text = f"unknown key {name}: {SHAPE}; a key of your own, for anchors, begins with 'x-'"
                self._add(key, "", text)
        if jobs is None:
            self._add(root, "", SHAPE)
        elif isinstance(jobs, yaml.SequenceNode):
            return list(jobs.value)
        elif not (isinstance(jobs, yaml.ScalarNode) and jobs.value in ("", "~", "null")):
            self._add(jobs, "jobs", SHAPE)
        return []

    def _entry(self, node: Any, number: int) -> Entry:
        twice = list(_given_twice(node))
        # '<<' merges another mapping in. Its keys come first, so the entry's own keys win.
        self._loader.flatten_mapping(node)
        keys = [(_key_text(key), key, value) for key, value in node.value]
        built = {name: self._built(value) for name, _, value in keys}
        entry = Entry(
            number,
            place=self._place(node),
            values={name: value for name, (value, _) in built.items()},
            places={name: self._place(key) for name, key, _ in keys},
            results=[(job, self._rendered.place(line)) for _, _, value in keys for job, line in _referred(value)],
        )
        for name, (_, unreadable) in built.items():
            self.mistakes += [entry.mistake(name, text, self._rendered.place(line)) for line, text in unreadable]
        for name, line in twice:
            self.mistakes.append(entry.mistake(name, "it is given twice: keep one", self._rendered.place(line)))
        return entry

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


def _given_twice(node: Any) -> Iterator[tuple[str, int]]:
    """Find the keys that a mapping has twice, at any depth, with their lines."""
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                if key.value in seen:
                    yield str(key.value), key.start_mark.line
                seen.add(key.value)
            yield from _given_twice(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _given_twice(value)


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
