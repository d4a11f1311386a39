"""A jobs file as Jinja2 renders it, and which line of which file each rendered line came from."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound, TemplateSyntaxError
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from jinja2.sandbox import ImmutableSandboxedEnvironment

from janitor.jobs_file.mistakes import BadJobsFile, Mistake, Place

MOST_CHARACTERS = 10_000_000
"""A rendered file longer than this is a loop that somebody did not mean."""

_OPEN, _CLOSE = "\ue000", "\ue001"
_MARK = re.compile(f"{_OPEN}([^{_OPEN}{_CLOSE}]*):([0-9]+){_CLOSE}")


@dataclass(frozen=True)
class Rendered:
    """A rendered file; `places` has the origin of each line, `files` are those that it was rendered from."""

    text: str
    places: tuple[Place, ...]
    files: tuple[Path, ...]

    def place(self, line: int) -> Place:
        """Where a rendered line, counted from 0, was written."""
        return self.places[min(line, len(self.places) - 1)]


class _Marks(Extension):
    """Marks where each line of a template's own text begins; names and values stay as they are."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        name = Path(stream.name or "").name
        for token in stream:
            if token.type == "data":
                lines = token.value.split("\n")
                marked = [f"{_OPEN}{name}:{token.lineno + at}{_CLOSE}{line}" for at, line in enumerate(lines)]
                token = Token(token.lineno, token.type, "\n".join(marked))
            yield token


def render(path: Path, environ: Mapping[str, str]) -> Rendered:
    """Render a jobs file in Jinja2's sandbox; `include` reads from its folder, `env("NAME")` from `environ`.

    Raises:
        BadJobsFile: it cannot be read, or Jinja2 refuses it; the error has the line.
    """
    try:
        # Twice, as a mark within a variable's value could change what the template does with it.
        files: list[Path] = []
        text = _rendered(path, environ, files)
        marked = _rendered(path, environ, files, _Marks)
    except TemplateNotFound as exc:
        missing = f"it includes {exc.name!r}, and there is no such file in {path.resolve().parent}"
        raise _bad(*_where(exc, path), missing) from exc
    except OSError as exc:
        raise _bad(path, 1, f"it cannot be read ({exc.strerror or type(exc).__name__}); give another path") from exc
    except UnicodeDecodeError as exc:
        raise _bad(path, 1, f"it is not UTF-8 (byte {exc.start}); save it as UTF-8") from exc
    except TemplateSyntaxError as exc:
        raise _bad(Path(exc.filename or path), exc.lineno, f"Jinja2 cannot read it: {exc.message}") from exc
    except UndefinedError as exc:
        raise _bad(*_where(exc, path), f"{exc.message}; define it, or give a default") from exc
    except SecurityError as exc:
        raise _bad(*_where(exc, path), f"the sandbox refuses it: {exc.message}") from exc
    except Exception as exc:  # an expression of the template may raise anything
        said = exc.message if isinstance(exc, TemplateError) else f"{type(exc).__name__}: {exc}"
        raise _bad(*_where(exc, path), f"Jinja2 cannot render it: {said}") from exc
    return Rendered(text, tuple(_places(text, marked, path)), tuple(dict.fromkeys(files)))


class _Loader(FileSystemLoader):
    """Jinja2's loader from one folder, which notes what it has read."""

    def __init__(self, folder: Path, files: list[Path]) -> None:
        super().__init__(folder)
        self._files = files

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        source = super().get_source(environment, template)
        self._files.append(Path(source[1]))
        return source


def _rendered(path: Path, environ: Mapping[str, str], files: list[Path], *extensions: type[Extension]) -> str:
    environment = ImmutableSandboxedEnvironment(
        loader=_Loader(path.resolve().parent, files),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
        extensions=extensions,
    )
    environment.globals["env"] = _env(environ)
    path.stat()
    parts, length = [], 0
    for part in environment.get_template(path.name).generate():
        parts.append(part)
        length += len(part)
        if length > MOST_CHARACTERS:
            raise TemplateError(f"it renders to more than {MOST_CHARACTERS:,} characters")
    return "".join(parts)


def _env(environ: Mapping[str, str]) -> Callable[..., str]:
    def env(name: str, default: str | None = None) -> str:
        value = environ.get(name, default)
        if value is None:
            raise UndefinedError(f"the variable {name} is not set")
        return value

    return env


def _places(text: str, marked: str, path: Path) -> Iterator[Place]:
    lines = marked.split("\n")
    plain = text.split("\n")
    if [_MARK.sub("", line) for line in lines] != plain:
        # A template that works on its own text: its lines are told as they are once rendered.
        yield from (Place(f"{path.name} (rendered)", number) for number in range(1, len(plain) + 1))
        return
    place = Place(path.name, 1)
    for line in lines:
        found = list(_MARK.finditer(line))
        # The first that has text of its own behind it: a line may begin with the end of a loop's line.
        best = next((one for one in found if line[one.end() : one.end() + 1] not in ("", _OPEN)), None)
        best = best or (found[-1] if found else None)
        place = Place(best[1], int(best[2])) if best else place
        yield place


def _where(error: Exception, path: Path) -> tuple[Path, int]:
    """The template's line in which an error was raised; Jinja2 puts it into the traceback."""
    folder, found, trace = path.resolve().parent, (path, 1), error.__traceback__
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if file.parent == folder and file.suffix != ".py":
            found = (file, trace.tb_lineno)
        trace = trace.tb_next
    return found


def _bad(path: Path, line: int, text: str) -> BadJobsFile:
    return BadJobsFile(str(path), [Mistake(Place(path.name, line), "", text)])
