"""Values as YAML that is read as the same values, and as a template that renders to it."""

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from janitor.jobs.results import Result
from janitor.jobs_file.document import value_of
from janitor.jobs_file.nodes import RESULT_TAG
from janitor.jobs_file.template import MARKS
from janitor.logs.mask import SHORTEST_SECRET

ODD = re.compile(r"[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
"""Characters that a block of YAML does not give back as they are."""
END_RAW = re.compile(r"\{(?=%[-+]?\s*endraw)")


class _Dumper(yaml.SafeDumper):
    """PyYAML's safe dumper. It also writes `!result JOB`, and a text of several lines as a block."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write each value in full, never as a reference to another."""
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    style = "|" if _fits_a_block(value) else '"' if ODD.search(value) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


def _fits_a_block(value: str) -> bool:
    """Whether a text is read as it was if it stands in a block; other texts are quoted."""
    lines = value.split("\n")
    return (
        lines[1:] != [] and not ODD.search(value) and lines[0][:1].strip() != "" and lines == [*map(str.rstrip, lines)]
    )


_Dumper.add_representer(str, _text)
_Dumper.add_representer(tuple, lambda dumper, value: dumper.represent_list(list(value)))
_Dumper.add_representer(Result, lambda dumper, value: dumper.represent_scalar(RESULT_TAG, value.job))


def dumped(value: Any) -> str:
    """A value as YAML, each text on a line of its own, however long it is.

    A secret that goes on in the next line would not be found.

    Raises:
        YAMLError: it is more than texts, numbers, dates, lists and mappings.
    """
    found: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=float("inf"))
    return found


def comes_back(value: Any) -> bool:
    """Whether a value that is written as YAML is read as the same value."""
    try:
        return _same(value, value_of(yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True)))
    except (yaml.YAMLError, ValueError, RecursionError):
        return False


def _same(value: Any, other: Any) -> bool:
    if type(value) is not type(other):
        return False
    if isinstance(value, list):
        return len(value) == len(other) and all(map(_same, value, other))
    if isinstance(value, dict):
        return list(value) == list(other) and all(map(_same, value.values(), other.values()))
    # NaN is not equal to itself.
    return bool(value == other) or (value != value and other != other)


def templated(text: str, taken: Mapping[str, str]) -> str:
    """A YAML text as a template that renders to it; `taken` are secrets, each with its variable."""
    # An `endraw` in the text would end the block, so its brace stands outside. The plus keeps the blanks before it.
    before, after = ("{%+ endraw %}", "{% raw %}") if (raw := any(mark in text for mark in MARKS)) else ("", "")
    if raw:
        text = END_RAW.sub(before + "{{ '{' }}" + after, text)
    for secret in sorted(taken, key=len, reverse=True):
        if taken[secret] and len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, f"{before}{{{{ env({json.dumps(taken[secret])}) }}}}{after}")
    # Keep Jinja2, which reads the file first, from rendering text that only looks like its own.
    return f"{{% raw %}}\n{text}{{% endraw %}}\n" if raw else text


def indented(text: str) -> str:
    """A text two blanks further in; empty lines stay empty."""
    return "".join(f"  {line}\n" if line else "\n" for line in text.removesuffix("\n").split("\n"))
