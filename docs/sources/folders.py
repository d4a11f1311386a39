"""The list of pages in a folder: each with its title and its first sentence, and the site's contents."""

import re
from collections.abc import Sequence
from pathlib import Path

from docs.marked import Part

CONTENTS = """

```{toctree}
:hidden:
:glob:

*
```"""
"""The contents for the site; on other readers of Markdown the list stands for them."""

_SENTENCE = re.compile(r"(.+?[.!?]|.+:)(?=\s|$)", re.DOTALL)


def pages_of(folder: Path) -> Part:
    """What writes the list of a folder's pages."""
    return lambda _: _list([path for path in sorted(folder.glob("*.md")) if path.name != "index.md"])


def _list(paths: Sequence[Path]) -> str:
    # Sphinx complains of a pattern that no page has.
    return "\n".join(map(_entry, paths)) + CONTENTS if paths else "There is no page yet."


def _entry(path: Path) -> str:
    title, _, rest = path.read_text(encoding="utf-8").strip().partition("\n")
    paragraph = " ".join(rest.strip().split("\n\n")[0].split())
    first = _SENTENCE.match(paragraph)
    plain = paragraph[:1].isalpha() or paragraph[:1] == "`"
    words = f": {first[1].rstrip(':')}" if first and plain and "](" not in first[1] else ""
    return f"- [{title.lstrip('# ')}]({path.name}){words}"
