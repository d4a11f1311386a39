"""Renders a jobs file with Jinja2, in its sandbox, and says in which line an error is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound, TemplateSyntaxError
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment

from janitor.guard import foreign_code
from janitor.jobs_file.line_marks import LineMarks, places_of
from janitor.jobs_file.mistakes import BadJobsFile, Mistake, Place

MOST_CHARACTERS = 10_000_000
"""A file that renders to more than this has a loop that nobody meant."""

Env = Callable[..., str]
KeepSecret = Callable[[str, str], None]


@dataclass(frozen=True)
class Rendered:
    """A rendered file. `places` has the origin of each line; `files` are all files that were read for it."""

    text: str
    places: tuple[Place, ...]
    files: tuple[Path, ...]

    def place(self, line: int) -> Place:
        """Return where a rendered line, counted from 0, was written."""
        return self.places[min(line, len(self.places) - 1)]


def render(path: Path, environ: Mapping[str, str], keep_secret: KeepSecret = lambda name, value: None) -> Rendered:
    """Render a jobs file: `include` reads from its folder, `env("NAME")` from `environ`.

    What `env` gives is handed to `keep_secret` first, unless the file says `env("NAME", public=true)`.

    Raises:
        BadJobsFile: the file cannot be read, or Jinja2 refuses it; the error has the line.
    """
    files: list[Path] = []
    text = marked = ""
    env = _env(environ, keep_secret)
    # An expression in a template may raise anything.
    with foreign_code(partial(_refuse, path)):
        text = _rendered(path, env, files)
        marked = _rendered(path, env, files, LineMarks)
    return Rendered(text, places_of(text, marked, path.name), tuple(dict.fromkeys(files)))


def _refuse(path: Path, error: BaseException) -> NoReturn:
    file, line = _place_of(error, path)
    mistake = Mistake(Place(file.name, line), "", _words_of(error, path))
    raise BadJobsFile(str(file), [mistake]) from error


class _Loader(FileSystemLoader):
    """Jinja2's loader from one folder; it notes the files that it reads."""

    def __init__(self, folder: Path, files: list[Path]) -> None:
        super().__init__(folder)
        self._files = files

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        source = super().get_source(environment, template)
        self._files.append(Path(source[1]))
        return source


def _rendered(path: Path, env: Env, files: list[Path], *extensions: type[Extension]) -> str:
    environment = ImmutableSandboxedEnvironment(
        loader=_Loader(path.resolve().parent, files),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
        extensions=extensions,
    )
    environment.globals["env"] = env
    path.stat()
    parts, length = [], 0
    for part in environment.get_template(path.name).generate():
        parts.append(part)
        length += len(part)
        if length > MOST_CHARACTERS:
            raise TemplateError(f"it renders to more than {MOST_CHARACTERS:,} characters")
    return "".join(parts)


def _env(environ: Mapping[str, str], keep_secret: KeepSecret) -> Env:
    def env(name: str, default: str | None = None, public: bool = False) -> str:
        value = environ.get(name)
        if value is None and default is None:
            raise UndefinedError(f"the variable {name} is not set")
        if value is None:
            return str(default)
        if not public:
            keep_secret(name, value)
        return value

    return env


def _words_of(error: BaseException, path: Path) -> str:
    """Say why a file cannot be rendered, and what would be right."""
    if isinstance(error, TemplateNotFound):
        return f"it includes {error.name!r}, and there is no such file in {path.resolve().parent}"
    if isinstance(error, OSError):
        return f"it cannot be read ({error.strerror or type(error).__name__}); give another path"
    if isinstance(error, UnicodeDecodeError):
        return f"it is not UTF-8 (byte {error.start}); save it as UTF-8"
    if isinstance(error, TemplateSyntaxError):
        return f"Jinja2 cannot read it: {error.message}"
    if isinstance(error, UndefinedError):
        return f"{error.message}; define it, or give a default"
    if isinstance(error, SecurityError):
        return f"the sandbox refuses it: {error.message}"
    said = error.message if isinstance(error, TemplateError) else f"{type(error).__name__}: {error}"
    return f"Jinja2 cannot render it: {said}"


def _place_of(error: BaseException, path: Path) -> tuple[Path, int]:
    """Find the template's line that raised an error: Jinja2 puts it into the traceback."""
    if isinstance(error, (OSError, UnicodeDecodeError)) and not isinstance(error, TemplateNotFound):
        return path, 1
    if isinstance(error, TemplateSyntaxError):
        return Path(error.filename or path), error.lineno
    folder, found, trace = path.resolve().parent, (path, 1), error.__traceback__
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if file.parent == folder and file.suffix != ".py":
            found = (file, trace.tb_lineno)
        trace = trace.tb_next
    return found
