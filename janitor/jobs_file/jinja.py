"""Renders a jobs file with Jinja2, in its sandbox: what runs in a process of its own, see `template.py`.

The sandbox keeps a template from Python's own parts. The process keeps it from taking all time and all memory: no
sandbox can tell before it multiplies whether a text of 2 GB comes of it.
"""

import json
import resource
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateError, TemplateNotFound, TemplateSyntaxError
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.ext import Extension
from jinja2.loaders import split_template_path
from jinja2.sandbox import ImmutableSandboxedEnvironment

from janitor.guard import foreign_code
from janitor.jobs_file.line_marks import LineMarks, places_of
from janitor.jobs_file.sources import NotReadable, folders_of, text_of
from janitor.jobs_file.taken import Taken, noting

MOST_CHARACTERS = 2_000_000
"""A file that renders to more than this has a loop that nobody meant."""
MEMORY_BYTES = 512 * 1024 * 1024
MOST_MADE = 1_000
"""So many texts that a file makes of secrets are kept as secrets too."""

Answer = dict[str, Any]


class Loader(BaseLoader):
    """Finds the jobs file by its path, and what it includes beside it; it notes where it looked."""

    def __init__(self, path: Path) -> None:
        """Nothing is read yet."""
        self._path = path
        self.files: list[Path] = []

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """The text of a template and its path; the third value says that it need not be read again."""
        for path in self._candidates(template):
            self.files.append(path)
            if path == self._path or path.exists():
                return text_of(path), str(path), lambda: True
        raise TemplateNotFound(template)

    def _candidates(self, template: str) -> Iterator[Path]:
        if template == self._path.name:
            yield self._path
        if "\0" in template:
            return
        parts = split_template_path(template)
        for folder in folders_of(self._path):
            # `current` may be a link that is switched: the file is looked for by this path each time.
            yield folder.joinpath(*parts)


def rendered(path: Path, environ: Mapping[str, str]) -> Answer:
    """Render a jobs file to its text, the place of each line, the files that were looked at, and the secrets it took.

    `made` are the texts that it made of secrets, each with the variable.
    If it cannot be rendered: `refused` is the file, the line and the reason.
    """
    loader, secrets = Loader(path), Secrets({}, {})
    text = marked = ""
    # An expression in a template may raise anything.
    with foreign_code(partial(_refused, path)) as caught:
        text = _render(path, environ, loader, secrets)
        marked = _render(path, environ, loader, secrets, LineMarks)
    answer: Answer = {
        "files": [*map(str, dict.fromkeys(loader.files))],
        "secrets": [*secrets.names],
        "made": [*secrets.made.items()],
    }
    if caught.instead is not None:
        return {**answer, "refused": caught.instead}
    places = [(place.file, place.line) for place in places_of(text, marked, path.name)]
    return {**answer, "text": text, "places": places}


def _render(
    path: Path, environ: Mapping[str, str], loader: Loader, secrets: "Secrets", *extensions: type[Extension]
) -> str:
    environment = ImmutableSandboxedEnvironment(
        loader=loader,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
        extensions=extensions,
    )
    environment.globals["env"] = _env(environ, secrets)
    environment.filters = {name: noting(function) for name, function in environment.filters.items()}
    parts, length = [], 0
    for part in environment.get_template(path.name).generate():
        parts.append(part)
        length += len(part)
        if length > MOST_CHARACTERS:
            raise TemplateError(f"it renders to more than {MOST_CHARACTERS:,} characters")
    return "".join(parts)


@dataclass(frozen=True)
class Secrets:
    """The variables that a file took, and each text that it made of one, with its variable."""

    names: dict[str, None]
    made: dict[str, str]

    def note(self, name: str, text: str) -> None:
        """Keep a text that was made of a variable."""
        if len(self.made) < MOST_MADE:
            self.made[text] = name


def _env(environ: Mapping[str, str], secrets: "Secrets") -> Callable[..., str]:
    def env(name: str, default: str | None = None, public: bool = False) -> str:
        value = environ.get(name)
        if value is None and default is None:
            raise UndefinedError(f"the variable {name} is not set")
        if value is None:
            return str(default)
        if public:
            return value
        secrets.names[name] = None
        return Taken(value, partial(secrets.note, name))

    return env


def _refused(path: Path, error: BaseException) -> tuple[str, int, str]:
    file, line = _place_of(error, path)
    return file.name, line, _words_of(error, path)


def _words_of(error: BaseException, path: Path) -> str:
    """Say why a file cannot be rendered, and what would be right."""
    if isinstance(error, TemplateNotFound):
        folders = " or ".join(map(str, folders_of(path)))
        return f"it includes {error.name!r}, and there is no such file in {folders}"
    if isinstance(error, NotReadable):
        return str(error)
    if isinstance(error, TemplateSyntaxError):
        return f"Jinja2 cannot read it: {error.message}"
    if isinstance(error, UndefinedError):
        return f"{error.message}; define it, or give a default"
    if isinstance(error, SecurityError):
        return f"the sandbox refuses it: {error.message}"
    if isinstance(error, MemoryError):
        return f"it needs more than {MEMORY_BYTES // 2**20} MB of memory: it multiplies something that nobody meant"
    if isinstance(error, RecursionError):
        return "it goes round without an end: a macro calls itself, a file includes itself, or brackets lie too deep"
    said = error.message if isinstance(error, TemplateError) else f"{type(error).__name__}: {error}"
    return f"Jinja2 cannot render it: {said}"[:1000]


def _place_of(error: BaseException, path: Path) -> tuple[Path, int]:
    """Find the template's line that raised an error: Jinja2 puts it into the traceback."""
    if isinstance(error, TemplateSyntaxError):
        return Path(error.filename or path), error.lineno
    folders, found, trace = folders_of(path), (path, 1), error.__traceback__
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if any(folder in file.parents for folder in folders) and file.suffix != ".py":
            found = (file, trace.tb_lineno)
        trace = trace.tb_next
    return found


def main() -> None:
    """Be the process: read the request from stdin, and write the answer to stdout, both as JSON."""
    request = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answer = json.dumps(rendered(Path(request["path"]), request["environ"]))
    sys.stdout.write(answer)
