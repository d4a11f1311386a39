"""What the jobs of `run.py` need of each database, and so the least grants of its user."""

import run
from docs.marked import code, table
from janitor.needs import DatabaseNeed
from janitor.settings import Settings

READ, WRITE = "SELECT", "SELECT, INSERT, UPDATE"


def databases(_: str) -> str:
    """One row for each database that a job needs."""
    found: dict[str, dict[str, str]] = {}
    deletes: dict[str, dict[str, str]] = {}
    for need in _needs():
        tables = found.setdefault(need.setting, {})
        for name in need.reads:
            tables.setdefault(name, READ)
        tables.update(dict.fromkeys(need.writes, WRITE))
        deletes.setdefault(need.setting, {}).update(need.deletes)
    rows = [(f"of {code(setting)}", _grants(tables), _more(deletes[setting])) for setting, tables in found.items()]
    return table(("user", "least grants", "one grant more"), rows)


def _needs() -> list[DatabaseNeed]:
    jobs = run.build(Settings.load({}, None, run.SETTINGS_OF_TASKS)).jobs.values()
    return [need for job in jobs for need in job.needs if isinstance(need, DatabaseNeed)]


def _grants(tables: dict[str, str]) -> str:
    kinds = [kind for kind in (WRITE, READ) if kind in tables.values()]
    return "; ".join(f"{code(kind)} on {_names(tables, kind)}" for kind in kinds)


def _names(tables: dict[str, str], kind: str) -> str:
    return ", ".join(code(name) for name, granted in tables.items() if granted == kind)


def _more(deletes: dict[str, str]) -> str:
    found = [f"{code('DELETE')} on {code(name)} if {code(f'{setting}=true')}" for name, setting in deletes.items()]
    return "; ".join(found) or "none"
