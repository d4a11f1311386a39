"""The dependencies: stated alike in Pipfile and pyproject.toml, each with a floor, and no import without one."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.packaging.checkout import committed, pyproject, read, shipped

EXTRAS = ("aws", "redis", "schemas")
"""The extras that are categories of the Pipfile too."""


def test_pyproject_needs_what_the_pipfile_says() -> None:
    assert set(pyproject()["project"]["dependencies"]) == wanted("packages")
    extras = pyproject()["project"]["optional-dependencies"]
    assert {name: set(extras[name]) for name in EXTRAS} == {name: wanted(name) for name in EXTRAS}


def wanted(section: str) -> set[str]:
    """What a section of the Pipfile says, as pyproject.toml writes it."""
    found = set()
    for name, given in tomllib.loads(read("Pipfile"))[section].items():
        version, extras = (given, []) if isinstance(given, str) else (given["version"], given.get("extras", []))
        found.add(name + (f"[{','.join(extras)}]" if extras else "") + version)
    return found


def test_every_dependency_has_a_floor() -> None:
    pipfile = tomllib.loads(read("Pipfile"))
    for section in ("packages", "dev-packages", *EXTRAS):
        for name, given in pipfile[section].items():
            version = given if isinstance(given, str) else given["version"]
            assert version.startswith(">="), f"{name} = {version}"


def test_every_import_is_a_stated_dependency() -> None:
    project = pyproject()["project"]
    needs = [*project["dependencies"], *(need for extra in project["optional-dependencies"].values() for need in extra)]
    stated = {re.split(r"[\[><=]", need)[0].replace("-", "_") for need in needs}
    called = {"argon2_cffi": "argon2", "python_dotenv": "dotenv", "pyyaml": "yaml", "markdown_it_py": "markdown_it"}
    modules = {called.get(name, name) for name in stated}
    allowed = modules | set(sys.stdlib_module_names) | {"janitor", "run"}
    found = {name: path.name for path in shipped() for name in imports(path)}
    assert {name: file for name, file in found.items() if name not in allowed} == {}


def imports(path: Path) -> Iterator[str]:
    """Give the top-level names of a module's imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield str(node.module).split(".")[0]


def test_no_file_names_a_package_registry() -> None:
    # The names are put together, so that this file does not name them.
    hosts = ["pypi" + ".org", "pythonhosted" + ".org", "deb.debian" + ".org", "npmjs" + ".org", "ghcr" + ".io"]
    pattern = re.compile("|".join(map(re.escape, hosts)).encode())
    assert [path.name for path in committed() if pattern.search(path.read_bytes())] == []
