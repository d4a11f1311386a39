"""Where settings come from: the environment, `.env`, and files that `<NAME>_FILE` names."""

from collections.abc import Collection, Mapping
from pathlib import Path

from dotenv import dotenv_values

from janitor.errors import BadSetting


def variables_from(environ: Mapping[str, str], dotenv: str | Path | None, settings: Collection[str]) -> dict[str, str]:
    """Every variable that has a value: of `environ`, then of the file `dotenv`, then of files that `<NAME>_FILE` names.

    `settings` are the names of the settings in upper case; a setting whose own name ends in `_FILE` is a path, and the
    file is not read here.

    Raises:
        BadSetting: a file cannot be read, or a value is given both ways.
    """
    from_file = _from_file(dotenv) if dotenv is not None and Path(dotenv).is_file() else {}
    merged = {**{name: value or "" for name, value in from_file.items()}, **environ}
    variables = {name: value for name, value in merged.items() if value.strip()}
    for name, path in list(variables.items()):
        if name.endswith("_FILE") and name not in settings:
            target = name.removesuffix("_FILE")
            if target in settings or target.endswith(("_ENABLED", "_SCHEDULE", "_PING_URL")):
                variables[target] = _content(name, path, target, variables)
    return variables


def _from_file(path: str | Path) -> dict[str, str | None]:
    try:
        return dotenv_values(path)
    except (OSError, UnicodeDecodeError) as exc:
        raise BadSetting("the file", path, f"give one that can be read as UTF-8 ({exc.__class__.__name__})") from exc


def _content(name: str, path: str, target: str, variables: Mapping[str, str]) -> str:
    if target in variables:
        raise BadSetting(name, path, f"{target} is given too; give one of the two")
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.__class__.__name__
        raise BadSetting(name, path, f"give a file that can be read and holds {target} ({reason})") from exc
    if not text:
        raise BadSetting(name, path, f"give a file that holds {target}: this one is empty")
    return text
