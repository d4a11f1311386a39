"""Renders a jobs file with Jinja2, within limits of time and memory.

text without Jinja's marks ────────────────────────────────> the text as it is
with marks ── jinja.py in a process of its own ── answers ──> text, places, files; or why not
                 └─ takes too long, or dies ────────────────> it is ended, and that is said
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from janitor.jobs_file.mistakes import BadJobsFile, Mistake, Place
from janitor.jobs_file.sources import NotReadable, text_of

MARKS = ("{{", "{%", "{#")
"""With these, Jinja2 takes a text for its own."""
RENDER_SECONDS = 10.0
"""How long a file may take to be rendered."""
PROCESS = "import json, sys; sys.path = json.loads(sys.argv[1]); from janitor.jobs_file.jinja import main; main()"
PACKAGE = str(Path(__file__).parents[2])
"""Where this very package is: an installed one may be found in ways that another process does not know."""

KeepSecret = Callable[[str, str, bool], None]


@dataclass(frozen=True)
class Rendered:
    """A rendered file. `places` has the origin of each line; `files` are all paths at which a file was looked for."""

    text: str
    places: tuple[Place, ...]
    files: tuple[Path, ...]

    def place(self, line: int) -> Place:
        """Return where a rendered line, counted from 0, was written."""
        return self.places[min(line, len(self.places) - 1)]


def render(
    path: Path,
    environ: Mapping[str, str],
    keep_secret: KeepSecret = lambda name, value, whole: None,
    seconds: float = RENDER_SECONDS,
) -> Rendered:
    """Render a jobs file: `include` reads from its folder, `env("NAME")` from `environ`.

    What `env` gives is handed to `keep_secret`, unless the file says `env("NAME", public=true)`; so is what the file
    makes of it, as no whole value.

    Raises:
        BadJobsFile: the file cannot be read, or Jinja2 refuses it; the error has the line.
    """
    path = Path(os.path.abspath(path))
    try:
        text = text_of(path)
    except NotReadable as exc:
        raise _refusal(path, path.name, 1, str(exc)) from exc
    if not any(mark in text for mark in MARKS):
        places = tuple(Place(path.name, line) for line in range(1, text.count("\n") + 2))
        return Rendered(text, places, (path,))
    answer = _answer(path, environ, seconds)
    for name in answer.get("secrets", ()):
        keep_secret(name, environ[name], True)
    for made, name in answer.get("made", ()):
        keep_secret(name, made, False)
    if "refused" in answer:
        raise _refusal(path, *answer["refused"])
    places = tuple(Place(*place) for place in answer["places"])
    return Rendered(answer["text"], places, tuple(map(Path, answer["files"])))


def _answer(path: Path, environ: Mapping[str, str], seconds: float) -> dict[str, Any]:
    """What the process answers.

    Raises:
        BadJobsFile: it takes too long, or dies.
    """
    request = json.dumps({"path": str(path), "environ": dict(environ)})
    command = [sys.executable, "-I", "-c", PROCESS, json.dumps([PACKAGE, *sys.path])]
    try:
        ended = subprocess.run(
            command, input=request.encode(), capture_output=True, timeout=seconds, check=False, start_new_session=True
        )
    except subprocess.TimeoutExpired as exc:
        text = f"it is not rendered within {seconds:g} s: it has a loop that does not end"
        raise _refusal(path, path.name, 1, text) from exc
    except (OSError, ValueError) as exc:
        raise _refusal(path, path.name, 1, f"no process can be started to render it: {exc}") from exc
    if ended.returncode != 0:
        said = ended.stderr.decode(errors="replace").strip().rpartition("\n")[2][:200]
        text = f"the process that renders it died ({said or f'code {ended.returncode}'}); make the file simpler"
        raise _refusal(path, path.name, 1, text)
    answer: dict[str, Any] = json.loads(ended.stdout)
    return answer


def _refusal(path: Path, file: str, line: int, text: str) -> BadJobsFile:
    return BadJobsFile(str(path), [Mistake(Place(file, line), "", text)])
