"""The house: its rooms stand on floors, and whatever is above may use what is below, never the other way round."""

import ast
import re
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

import run
from tests.command_line import ROOT, CommandLine
from tests.fixtures import Warehouses
from tests.imports import Graph, circles, graph, modules
from tests.servers import SqlServer
from tests.tasks.rows import fill_recently

FLOORS = (
    "errors guard needs",
    "runs loops",
    "settings",
    "databases",
    "rabbitmq",
    "http mail files documents",
    "jobs",
    "state",
    "logs",
    "memory",
    "feeds table_sink publisher items",
    "engine",
    "scheduler",
    "tasks",
    "checks",
    "operations",
    "jobs_file notices web celery_workers",
    "terminal",
    "verbs",
    "cli",
    "demo",
)
"""The rooms, from the ground up. Rooms on one floor do not know one another."""
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms.split()}
WINGS = FLOORS[FLOOR["web"]].split()
TASKS = {"labware_location", "sequencing_publisher"}
KNOWN = modules(ROOT)


@cache
def known_imports() -> Graph:
    """What each module imports; all files are parsed for it."""
    return graph(KNOWN)


def room(module: str) -> str:
    """The room that a module lies in; empty for run.py and the package itself."""
    return module.split(".")[1] if "." in module else ""


def task(module: str) -> str:
    """The task that a module is part of; empty for all others."""
    return module.split(".")[2] if module.startswith("janitor.tasks.") else ""


def edges() -> Iterator[tuple[str, str]]:
    """Each import of one room's module by another room's."""
    for name, others in sorted(known_imports().items()):
        yield from ((name, other) for other in sorted(others) if room(name) and room(other) not in ("", room(name)))


def test_every_room_stands_on_a_floor() -> None:
    assert {room(name) for name in KNOWN} - {""} <= FLOOR.keys()


def test_no_import_runs_up_or_sideways() -> None:
    assert [f"{name} -> {other}" for name, other in edges() if FLOOR[room(other)] >= FLOOR[room(name)]] == []


def test_there_is_no_circle_between_files() -> None:
    assert circles(known_imports()) == []


def test_there_is_no_circle_between_rooms() -> None:
    rooms: dict[str, set[str]] = {}
    for name, other in edges():
        rooms.setdefault(room(name), set()).add(room(other))
    assert circles({name: frozenset(others) for name, others in rooms.items()}) == []


def test_only_verbs_import_wings() -> None:
    into_wings = {(name, other) for name, other in edges() if room(other) in WINGS}
    assert {name for name, _ in into_wings if room(name) != "verbs"} == set()


def test_the_engine_knows_no_task_and_no_task_another() -> None:
    edges = known_imports()
    of_run = {task(other) for other in edges["run"]} - {""}
    assert of_run == {task(name) for name in KNOWN} - {""}
    others = {(name, other) for name in KNOWN for other in edges[name] if task(other) not in ("", task(name))}
    assert {name for name, _ in others} == {"run"}


def test_the_graph_sees_every_kind_of_import(tmp_path: Path) -> None:
    # Given: a circle of two files, one import of which is lazy and one under TYPE_CHECKING. What happens: the graph is
    # read. What must hold: both imports are seen, and so is the circle.
    (tmp_path / "a.py").write_text("def late() -> None:\n    from pack.b import thing\n")
    (tmp_path / "b.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pack.a\nthing = 1\n"
    )
    read: Graph = graph({"pack.a": tmp_path / "a.py", "pack.b": tmp_path / "b.py"})
    assert read == {"pack.a": frozenset({"pack.b"}), "pack.b": frozenset({"pack.a"})}
    assert circles(read) == [["pack.a", "pack.b"]] and circles({"a": frozenset({"b"}), "b": frozenset()}) == []


ONE_SHOT = {
    ("janitor/engine/in_child.py", "_listen"),
    ("janitor/engine/in_child.py", "_die_with_parent"),
    ("janitor/engine/in_warm_child.py", "_listen"),
    ("janitor/engine/leaving.py", "_watch"),
    ("janitor/engine/leaving.py", "_say_last_words"),
    ("janitor/engine/run_threads.py", "work"),
    ("janitor/engine/stopping.py", "do"),
    ("janitor/items/ahead.py", "_go"),
    ("janitor/items/workers.py", "_work"),
    ("janitor/verbs/run_here.py", "cut_off"),
    ("janitor/web/metrics/readings.py", "_read"),
    ("janitor/web/serving/door.py", "_answer_later"),
    ("janitor/web/serving/server.py", "do"),
    ("janitor/demo/inbox.py", "serve_forever"),
}
"""Threads that do one thing and end, or do what they are given, by file and target; the demo is no part of a daemon."""


def last_name(node: ast.AST) -> str:
    """The last part of a dotted name; empty for what is none."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def threads() -> Iterator[tuple[str, str]]:
    """Each thread that the package makes: the file, and the last name of its target; or a class that is a thread."""
    codes = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "janitor").rglob("*.py"))}
    for path, code in ((path, code) for path, code in codes.items() if "Thread" in code):
        for node in ast.walk(ast.parse(code)):
            place = str(path.relative_to(ROOT))
            if isinstance(node, ast.ClassDef) and any(last_name(base).endswith("Thread") for base in node.bases):
                yield place, f"class {node.name}"
            if isinstance(node, ast.Call) and last_name(node.func) == "Thread":
                targets = [ast.unparse(word.value) for word in node.keywords if word.arg == "target"]
                yield place, targets[0].rpartition(".")[2] if targets else "?"


def test_every_loop_in_a_thread_is_run_in_the_one_way() -> None:
    # A loop in a thread of its own would die of the first error that nobody expected: see janitor/loops.
    found = set(threads())
    assert found - ONE_SHOT == {("janitor/loops/loop.py", "_run")} and ONE_SHOT <= found


def test_general_modules_name_no_variable_of_a_task() -> None:
    variables = {name for group in run.SETTINGS_OF_TASKS for name in group.variables()}
    assert "MLWH_DATABASE_URL" in variables
    words = re.compile("|".join(variables), re.IGNORECASE)
    assert list(told(ROOT / "janitor", words, but=("tasks", "demo"))) == []


def told(folder: Path, words: re.Pattern[str], but: Sequence[str] = ()) -> Iterator[str]:
    """Each file of a folder that says one of the words, with that word; files in the rooms `but` are left out."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and path.relative_to(folder).parts[0] not in but:
            if found := words.search(path.read_text(encoding="utf-8")):
                yield f"{path.relative_to(folder)}: {found[0]}"


class Without(ast.NodeTransformer):
    """Takes a task out of run.py: its name in the import and in tuples, and each statement that uses it."""

    def __init__(self, task: str) -> None:
        self.task = task

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom | None:
        """Import the others only."""
        node.names = [alias for alias in node.names if alias.name != self.task]
        return node if node.names else None

    def visit_Tuple(self, node: ast.Tuple) -> ast.Tuple:
        """Keep the entries of the other tasks."""
        node.elts = [entry for entry in node.elts if f"{self.task}." not in ast.unparse(entry)]
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        """Let go of a line with add_job that names the task."""
        return None if f"{self.task}." in ast.unparse(node) else node

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        """Let go of a name that only the task's lines use."""
        if isinstance(node.value, ast.Tuple):
            return self.generic_visit(node)
        return None if f"{self.task}." in ast.unparse(node) else node


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the code, to be changed as a developer would."""
    made = tmp_path / "copy"
    shutil.copytree(ROOT / "janitor", made / "janitor", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("run.py", ".release-version"):
        shutil.copy(ROOT / name, made)
    return made


def command_line(copy: Path, folder: Path, environment: dict[str, str]) -> CommandLine:
    """The copy's own command line."""
    return CommandLine(folder, (str(copy / "run.py"),), environment | {"PYTHONPATH": str(copy)})


@pytest.mark.slow
@pytest.mark.parametrize("gone", sorted(TASKS))
def test_a_task_goes_with_its_folder_and_its_lines(
    gone: str, copy: Path, tmp_path: Path, sqlite_warehouses: Warehouses
) -> None:
    (left,) = TASKS - {gone}
    fill_recently(sqlite_warehouses, runs=2, products=4, labwares=30)
    shutil.rmtree(copy / "janitor" / "tasks" / gone)
    code = (copy / "run.py").read_text(encoding="utf-8")
    (copy / "run.py").write_text(ast.unparse(Without(gone).visit(ast.parse(code))), encoding="utf-8")
    settings = {"MESSAGES_DIR": "messages", "SEQUENCING_PUBLISHER_SINCE": "2000-01-01"}
    janitor = command_line(copy, tmp_path, sqlite_warehouses.environment() | settings)
    jobs = {job["job"] for job in janitor("jobs").rows}
    assert {left, f"{left}_reconcile"} <= jobs and not {gone, f"{gone}_reconcile"} & jobs
    ended = janitor("run", left)
    assert ended.code == 0, ended.out + ended.err
    checked = janitor("check")
    assert checked.code == 0 and gone not in checked.out, checked.out
    # The demo is a lab of its own, made for the tasks there are.
    words = re.compile(gone.replace("_", "[ _]?"), re.IGNORECASE)
    assert list(told(copy / "janitor", words, but=("demo",))) == []


def readme_task() -> tuple[str, str]:
    """The task that the README shows first: its module, and its line in run.py."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    _, module, rest = re.split(r"    # (?:janitor/tasks/expire_tokens|run)\.py\n", readme, maxsplit=2)
    return textwrap.dedent(module), rest.splitlines()[0].strip()


@pytest.mark.slow
def test_the_task_of_the_readme_works_as_it_says(mariadb: SqlServer, copy: Path, tmp_path: Path) -> None:
    module, line = readme_task()
    assert len(module.splitlines()) <= 20 and line.startswith("scheduler.add_job(")
    (copy / "janitor" / "tasks" / "expire_tokens.py").write_text(module, encoding="utf-8")
    code = (copy / "run.py").read_text(encoding="utf-8")
    code = code.replace("    return scheduler\n", f"    {line}\n    return scheduler\n")
    code = code.replace("\n\ndef build(", "\nfrom janitor.tasks.expire_tokens import expire_tokens\n\ndef build(")
    (copy / "run.py").write_text(code, encoding="utf-8")
    database_url = mariadb.create_database()
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE login_tokens (id INTEGER PRIMARY KEY, created_at DATETIME NOT NULL)"))
        connection.execute(text("INSERT INTO login_tokens VALUES (1, '2026-01-01'), (2, '2026-01-02')"))
        connection.execute(text("INSERT INTO login_tokens VALUES (3, '2999-01-01')"))
    janitor = command_line(copy, tmp_path, {"MLWH_DATABASE_URL": database_url.render_as_string(hide_password=False)})
    for arguments, left in ((["--dry-run"], [1, 2, 3]), ([], [3])):
        ended = janitor("run", "expire_tokens", *arguments)
        assert ended.code == 0 and "deleted=2" in ended.out, ended.out + ended.err
        with engine.connect() as connection:
            assert list(connection.execute(text("SELECT id FROM login_tokens ORDER BY id")).scalars()) == left
    engine.dispose()
    assert [(row["run"], row["outcome"], row["counts"]) for row in janitor("history", "expire_tokens").rows] == [
        (number, "succeeded", "deleted=2") for number in ("2", "1")
    ]
    assert janitor("show", "2", "--json").json["log"][0]["message"] == "started"
    switched = janitor("jobs", EXPIRE_TOKENS_ENABLED="false", EXPIRE_TOKENS_SCHEDULE="every 10m").rows[-1]
    assert (switched["job"], switched["schedule"]) == ("expire_tokens", "every 10m")
    assert "EXPIRE_TOKENS_ENABLED=false" in switched["note"]
