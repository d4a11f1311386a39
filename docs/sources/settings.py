"""The settings, as `.env.example` tells them: a test holds that file to the code, default by default."""

import re
from collections.abc import Iterator
from pathlib import Path

from docs.marked import code, table

EXAMPLE = Path(__file__).parents[2] / ".env.example"
JOBS = "Jobs"
"""The group of `.env.example` that has the variables of each job."""

_GROUP = re.compile(r"^# --- (?P<title>[^:,\n]+)[^\n]*\n(?P<text>.*?)(?=^# --- |\Z)", re.MULTILINE | re.DOTALL)
_SETTING = re.compile(
    r"^# (?P<meaning>[^\n]+) \((?:default (?P<default>[^\n]*)|no default)\)\n#(?P<name>[A-Z_]+)=", re.M
)
_SCHEDULE = re.compile(r"^#(?P<prefix>[A-Z_]+)_SCHEDULE=(?P<schedule>.*)$", re.MULTILINE)


def settings(_: str) -> str:
    """Each group of settings, with a table."""
    return "\n\n".join(_groups(EXAMPLE.read_text(encoding="utf-8")))


def jobs(_: str) -> str:
    """The variables of each job of `run.py`."""
    found = _SCHEDULE.finditer(EXAMPLE.read_text(encoding="utf-8"))
    rows = [
        (code(f"{one['prefix']}_ENABLED"), code(f"{one['prefix']}_SCHEDULE"), code(one["schedule"])) for one in found
    ]
    return table(("switch", "schedule", "default schedule"), rows)


def _groups(text: str) -> Iterator[str]:
    for group in _GROUP.finditer(text):
        if group["title"] != JOBS:
            rows = [_row(one) for one in _SETTING.finditer(group["text"])]
            yield f"### {group['title']}\n\n" + table(("variable", "default", "meaning"), rows)


def _row(setting: re.Match[str]) -> tuple[str, str, str]:
    default = setting["default"]
    return code(setting["name"]), "" if default is None else code(default), setting["meaning"].replace("<", "\\<")
