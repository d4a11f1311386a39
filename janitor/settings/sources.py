"""Where settings come from: the environment, `.env`, and files that `<NAME>_FILE` names."""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from dotenv import dotenv_values

from janitor.errors import BadSetting

ENDINGS = ("_ENABLED", "_SCHEDULE", "_PING_URL", "_DATABASE_URL")
"""A variable that ends so may come from a file even if no group of settings declares it."""


def variables_from(environ: Mapping[str, str], dotenv: str | Path | None, settings: Collection[str]) -> dict[str, str]:
    """Every variable that has a value: of `environ`, then of the file `dotenv`, then of files that `<NAME>_FILE` names.

    `settings` are the variables of all settings. If a setting's own name ends in `_FILE`, its value is a path, and that
    file is not read here.

    Raises:
        BadSetting: a file cannot be read, or a value is given both ways.
    """
    from_file = _from_file(dotenv) if dotenv is not None and Path(dotenv).is_file() else {}
    # A file for `docker run --env-file` that was written on Windows leaves a carriage return at each value's end.
    given = {name: value.strip("\r\n") for name, value in environ.items()}
    merged = {**{name: value or "" for name, value in from_file.items()}, **given}
    variables = {name: value for name, value in merged.items() if value.strip()}
    named = [name.removesuffix("_FILE") for name in variables if name.endswith("_FILE") and name not in settings]
    found = from_files(variables, [name for name in named if name in settings])
    for name in (name for name in named if name not in settings and name.endswith(ENDINGS)):
        # It may be a stranger's variable. Whoever asks for it by its name is told what is wrong with it.
        with suppress(BadSetting):
            found |= from_files(variables, [name])
    return variables | found


def in_quotes(environ: Mapping[str, str]) -> frozenset[str]:
    """The variables whose value stands in a pair of quotes."""
    values = {name: value.strip() for name, value in environ.items()}
    return frozenset(
        name for name, value in values.items() if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    )


def from_files(variables: Mapping[str, str], names: Iterable[str], folder: Path = Path()) -> dict[str, str]:
    """The value of each variable in `names` that comes from a file; relative paths begin in `folder`.

    Raises:
        BadSetting: a file cannot be read, or a value is given both ways.
    """
    return {name: _content(name, variables, folder) for name in names if f"{name}_FILE" in variables}


def _from_file(path: str | Path) -> dict[str, str | None]:
    try:
        # Without interpolation: `$` and braces in a password are part of it.
        return dotenv_values(path, interpolate=False, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise BadSetting("the file", path, f"give a file that is UTF-8 text ({type(exc).__name__})") from exc


def _content(name: str, variables: Mapping[str, str], folder: Path) -> str:
    path = variables[f"{name}_FILE"]
    if name in variables:
        raise BadSetting(f"{name}_FILE", path, f"{name} is given too; give one of the two")
    try:
        text = (folder / Path(path).expanduser()).read_text(encoding="utf-8-sig").rstrip("\r\n")
    except (OSError, UnicodeDecodeError, RuntimeError) as exc:
        raise BadSetting(
            f"{name}_FILE", path, f"give a readable file that holds {name} ({type(exc).__name__})"
        ) from exc
    if not text.strip():
        raise BadSetting(f"{name}_FILE", path, f"give a file that holds {name}: this one is empty")
    return text
