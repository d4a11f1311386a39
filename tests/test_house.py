"""The house: who may know whom, a task taken out of it, and a task brought into it as the README says."""

import ast
import re
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

import run
from tests.command_line import ROOT, CommandLine
from tests.fixtures import Warehouses
from tests.servers import SqlServer
from tests.tasks.rows import fill_recently

ENGINE = ("janitor.scheduler", "janitor.runs", "janitor.state")
WORKSHOP = {"janitor.feeds", "janitor.table_sink", "janitor.publisher", "janitor.memory"}
TASKS = {"labware_location", "sequencing_publisher"}


def modules() -> dict[str, Path]:
    """Every module of the package, and run.py, by name."""
    paths = [ROOT / "run.py", *sorted((ROOT / "janitor").rglob("*.py"))]
    names = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths}
    return {name.removesuffix(".__init__"): path for path, name in names.items()}


def imported(path: Path, known: dict[str, Path]) -> set[str]:
    """The modules of this project that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            found |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found & known.keys()


def reached(start: str, graph: dict[str, set[str]]) -> set[str]:
    """All that a module comes to know, by itself or through others."""
    found, waiting = set[str](), [start]
    while waiting:
        for name in graph[waiting.pop()] - found:
            found.add(name)
            waiting.append(name)
    return found


def test_the_engine_knows_no_task_and_no_task_another() -> None:
    known = modules()
    graph = {name: imported(path, known) for name, path in known.items()}
    assert {f"janitor.tasks.{task}" for task in TASKS} <= graph["run"]
    for name, imports in graph.items():
        of_others = {one for one in imports if one.startswith("janitor.tasks.") and one.split(".")[2] != task_of(name)}
        assert name == "run" or not of_others, f"{name} knows {of_others}"
    for start in (*ENGINE, *(name for name in known if name.startswith("janitor.state."))):
        knows = reached(start, graph)
        assert not {one for one in knows if one.startswith("janitor.tasks")} | knows & WORKSHOP, start
    for task in TASKS:
        assert not reached(f"janitor.tasks.{task}", graph) & {"run", "janitor.scheduler", "janitor.engine.runner"}


def task_of(module: str) -> str:
    """The task whose folder a module lies in; empty for all others."""
    return module.split(".")[2] if module.startswith("janitor.tasks.") else ""


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
