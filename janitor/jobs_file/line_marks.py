"""Remembers where each line of a rendered template was written, through loops, macros and includes.

    template           marked while it is read     rendered with marks        place of the line
    1  {% for x %}
    2  - id: {{ x }}   <jobs.yaml:2>- id: {{ x }}   <jobs.yaml:2>- id: a      jobs.yaml:2
    3  {% endfor %}                                 <jobs.yaml:2>- id: b      jobs.yaml:2

The marks stand only in the template's own text, never in names or values. But a template may compute with its own
text, as `{% set word %}...{% endset %}` does, and marks would change the result. So the file is rendered twice, with
and without marks; if the two differ in more than the marks, each line gets its place in the rendered text.
The marks are two characters of Unicode's private use area.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

from janitor.jobs_file.mistakes import Place

_OPEN, _CLOSE = "\ue000", "\ue001"
_MARK = re.compile(f"{_OPEN}([^{_OPEN}{_CLOSE}]*):([0-9]+){_CLOSE}")


class LineMarks(Extension):
    """Puts a mark before each line of a template's own text."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """Mark the tokens that are text."""
        name = Path(stream.name or "").name
        for token in stream:
            if token.type == "data":
                lines = token.value.split("\n")
                marked = [f"{_OPEN}{name}:{token.lineno + at}{_CLOSE}{line}" for at, line in enumerate(lines)]
                token = Token(token.lineno, token.type, "\n".join(marked))
            yield token


def places_of(text: str, marked: str, name: str) -> tuple[Place, ...]:
    """Return the place of each rendered line, from the text rendered without and with marks.

    `name` is the file's name: for lines before the first mark, and if the marks changed what was rendered.
    """
    lines, plain = marked.split("\n"), text.split("\n")
    if [_MARK.sub("", line) for line in lines] != plain:
        return tuple(Place(f"{name} (rendered)", number) for number in range(1, len(plain) + 1))
    return tuple(_places(lines, Place(name, 1)))


def _places(lines: list[str], place: Place) -> Iterator[Place]:
    """Find the place of each marked line; a line without a mark has the place of the line before it."""
    for line in lines:
        found = list(_MARK.finditer(line))
        # A line may begin with the end of a loop's line: the first mark with text behind it counts.
        with_text = (mark for mark in found if line[mark.end() : mark.end() + 1] not in ("", _OPEN))
        best = next(with_text, found[-1] if found else None)
        place = Place(best[1], int(best[2])) if best else place
        yield place
