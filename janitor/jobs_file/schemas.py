"""The schemas of a pipeline in a jobs file: written in it, or in files beside it."""

from pathlib import Path
from typing import Any

from janitor.errors import BadSetting, JanitorError
from janitor.items.schemas import Schemas
from janitor.jobs_file.mistakes import Mistake, Wrong, shown
from janitor.jobs_file.part import Part
from janitor.jobs_file.sources import folders_of

SCHEMA, TASK_NAME = "schema", "task_name"


def described(part: Part, path: Path, files: list[Path]) -> tuple[Any, list[Mistake]]:
    """The schema of a pipeline's messages, or those of its tasks by name, and all that is wrong with it.

    `path` is the jobs file. Paths at which a schema was looked for are added to `files`.
    """
    if not part.values.get(TASK_NAME):
        return _one(part, SCHEMA, path, files)
    section = part.parts.get(SCHEMA)
    if section is None:
        text = f"it is {shown(part.values[SCHEMA])}: with task_name, give the names of tasks and their schemas"
        return None, [part.mistake(SCHEMA, text)]
    found = {name: _one(section, name, path, files) for name in section.values}
    return {name: value for name, (value, _) in found.items()}, [one for _, wrong in found.values() for one in wrong]


def _one(part: Part, key: str, path: Path, files: list[Path]) -> tuple[Any, list[Mistake]]:
    value = part.values[key]
    try:
        if isinstance(value, str):
            value = _beside(value, path, files)
        elif not isinstance(value, (dict, bool)):
            raise Wrong(f"it is {shown(value)}: give a JSON Schema, or a file with one, such as request.json")
        Schemas(value).require()
    except Wrong as exc:
        return None, [part.mistake(key, str(exc))]
    except JanitorError as exc:
        return None, [part.mistake(key, exc.expected if isinstance(exc, BadSetting) else str(exc))]
    return value, []


def _beside(value: str, path: Path, files: list[Path]) -> str:
    """A schema's file with its whole path, and with what stands behind that: files are looked for beside the jobs file.

    Raises:
        Wrong: there is no such file.
    """
    name, hash_sign, pointer = value.partition("#")
    folders = folders_of(path)
    for folder in folders:
        files.append(folder / name)
        if name and (folder / name).is_file():
            return f"{folder / name}{hash_sign}{pointer}"
    raise Wrong(f"it is {shown(value)}: there is no such file in {' or '.join(map(str, folders))}")
