"""The files around the code: the lock, the version, the image, the workflows, the scripts, and the wheel."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest
import yaml

import janitor
import run
from deploy import dockerfile
from deploy.lock import strip
from janitor.settings import Settings
from tests.servers import Broker, MariaDB

ROOT = Path(__file__).resolve().parent.parent
EXCHANGE = "sequencing_run_status"
INSPECT = "sequencing_run_status.inspect"


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def lock() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(read("Pipfile.lock"))
    return found


def pyproject() -> dict[str, Any]:
    return tomllib.loads(read("pyproject.toml"))


def committed() -> list[Path]:
    """Every file that is committed, or would be by `git add --all`."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip(f"the checkout is no git repository: {listed.stderr.strip()}")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


# The lock and the dependencies


def test_lock_names_no_registry() -> None:
    assert lock()["_meta"]["sources"] == []
    packages = [*lock()["default"].items(), *lock()["develop"].items()]
    assert [name for name, package in packages if "index" in package] == []
    assert [name for name, package in packages if not package["hashes"]] == []


def test_lock_pins_no_patch_of_python() -> None:
    assert lock()["_meta"]["requires"] == {}
    markers = [package.get("markers", "") for section in ("default", "develop") for package in lock()[section].values()]
    assert [marker for marker in markers if re.search(r"python_(full_)?version (==|<)", marker)] == []


def test_lock_is_of_this_pipfile() -> None:
    pipenv = shutil.which("pipenv", path=f"{ROOT / '.pipenv/bin'}:{os.environ['PATH']}")
    if pipenv is None:
        pytest.skip("there is no pipenv to ask")
    environment = os.environ | {"PIPENV_PIPFILE": str(ROOT / "Pipfile"), "PIPENV_DONT_LOAD_ENV": "1"}
    asked = subprocess.run([pipenv, "verify"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert asked.returncode == 0, asked.stdout + asked.stderr


def test_strip_keeps_hashes_and_markers() -> None:
    package = {"version": "==1.0", "hashes": ["sha256:00"], "markers": "python_version >= '3.11'", "extras": ["rsa"]}
    source = {"name": "somewhere", "url": "https://packages.example/simple", "verify_ssl": True}
    meta = {"hash": {"sha256": "ab"}, "sources": [source]}
    made = strip({"_meta": meta, "default": {"a": {**package, "index": "somewhere"}}, "develop": {"b": package}})
    assert made == {"_meta": {**meta, "sources": []}, "default": {"a": package}, "develop": {"b": package}}


def test_pyproject_needs_what_the_pipfile_says() -> None:
    wanted = set()
    for name, given in tomllib.loads(read("Pipfile"))["packages"].items():
        version, extras = (given, []) if isinstance(given, str) else (given["version"], given.get("extras", []))
        wanted.add(name + (f"[{','.join(extras)}]" if extras else "") + version)
    assert set(pyproject()["project"]["dependencies"]) == wanted


def test_every_dependency_has_a_floor() -> None:
    pipfile = tomllib.loads(read("Pipfile"))
    for section in ("packages", "dev-packages"):
        for name, given in pipfile[section].items():
            version = given if isinstance(given, str) else given["version"]
            assert version.startswith(">="), f"{name} = {version}"


def test_every_import_is_a_stated_dependency() -> None:
    project = pyproject()["project"]
    needs = [*project["dependencies"], *project["optional-dependencies"]["sentry"]]
    stated = {re.split(r"[\[><=]", need)[0].replace("-", "_") for need in needs}
    called = {"python_dotenv": "dotenv", "pyyaml": "yaml", "markdown_it_py": "markdown_it", "argon2_cffi": "argon2"}
    modules = {called.get(name, name) for name in stated}
    allowed = modules | set(sys.stdlib_module_names) | {"janitor", "run"}
    found = {name: path.name for path in shipped() for name in imports(path)}
    assert {name: file for name, file in found.items() if name not in allowed} == {}


def shipped() -> list[Path]:
    return [*(ROOT / "janitor").rglob("*.py"), *ROOT.glob("run.py")]


def imports(path: Path) -> Iterator[str]:
    """The top-level names of what a module imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield str(node.module).split(".")[0]


def test_no_file_names_a_package_registry() -> None:
    # In parts, so that this file does not name them either.
    hosts = ["pypi" + ".org", "pythonhosted" + ".org", "deb.debian" + ".org", "npmjs" + ".org", "ghcr" + ".io"]
    pattern = re.compile("|".join(map(re.escape, hosts)).encode())
    assert [path.name for path in committed() if pattern.search(path.read_bytes())] == []


# The version


def test_version_is_semantic_and_stated_once() -> None:
    stated = read(".release-version").strip()
    assert re.fullmatch(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?", stated)
    assert janitor.__version__ == stated
    assert pyproject()["project"]["dynamic"] == ["version"]
    assert pyproject()["tool"]["setuptools"]["dynamic"]["version"] == {"file": ".release-version"}
    assert [path.name for path in shipped() if stated in path.read_text(encoding="utf-8")] == []


# The scripts


SCRIPTS = [
    "forlint.sh",
    "docs.sh",
    "test.sh",
    "demo.sh",
    ".ci/run",
    *(f"deploy/{p.name}" for p in ROOT.glob("deploy/*.sh")),
]


@pytest.mark.parametrize("script", SCRIPTS)
def test_script_is_sound_bash(script: str) -> None:
    checked = subprocess.run(["bash", "-n", str(ROOT / script)], capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert os.access(ROOT / script, os.X_OK) == (script != "deploy/environment.sh")


def test_ci_runs_checks_site_suite_and_demo() -> None:
    lines = read(".ci/run").splitlines()
    commands = [line.partition(" >")[0] for line in lines if line.startswith("./")]
    assert commands == ["./forlint.sh --check", "./docs.sh", "./test.sh --no-cov", "./demo.sh --seconds 15"]
    assert "set -euo pipefail" in lines and lines[-1] == 'exit "$code"'


def test_forlint_refuses_what_it_does_not_know() -> None:
    refused = subprocess.run([str(ROOT / "forlint.sh"), "--chekc"], capture_output=True, text=True)
    assert refused.returncode == 2
    assert refused.stderr == "forlint.sh: takes no argument but --check, and got: --chekc\n"


def test_scripts_refuse_an_old_interpreter(tmp_path: Path) -> None:
    old = tmp_path / "python-of-old"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    refused = subprocess.run(
        [str(ROOT / "demo.sh")], env=os.environ | {"PYTHON": str(old)}, capture_output=True, text=True
    )
    assert refused.returncode == 2
    assert refused.stderr == f"demo.sh: PYTHON={old} does not start a CPython of version 3.11 or later\n"


# The image


def stages() -> list[dockerfile.Stage]:
    return dockerfile.parse(read("Dockerfile"))


def last(keyword: str) -> dockerfile.Step:
    return [step for step in stages()[-1].steps if step.keyword == keyword][-1]


def test_image_runs_as_nobody_in_particular() -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", last("USER").rest)
    after = [step.keyword for step in stages()[-1].steps]
    assert "RUN" not in after[after.index("USER") :]


def test_image_starts_the_daemon_without_a_shell() -> None:
    assert last("ENTRYPOINT").argv == ["python", "run.py"]
    assert last("CMD").argv == ["start"]
    assert dockerfile.exec_form(last("ENTRYPOINT"))
    assert last("STOPSIGNAL").rest == "SIGTERM"


def test_image_asks_the_daemon_for_its_health() -> None:
    assert last("HEALTHCHECK").rest == 'CMD ["python", "run.py", "health"]'
    assert {"interval", "timeout", "start-period", "retries"} == set(last("HEALTHCHECK").flags)


def test_image_keeps_its_state_on_a_volume() -> None:
    assert last("VOLUME").rest == "/app/var"


def test_image_is_locked_and_has_no_dev_packages() -> None:
    text = read("Dockerfile")
    assert "pipenv install --deploy" in text
    assert "--dev" not in text
    assert [stage.base for stage in stages()] == ["python:3.13-slim"] * 2
    assert re.findall(r"pipenv==\S+", text) == [re.findall(r'"(pipenv==\S+)"', read("deploy/environment.sh"))[0]]


@pytest.mark.parametrize(
    ("path", "out"),
    [
        ("run.py", False),
        ("Pipfile.lock", False),
        (".release-version", False),
        ("janitor/state/run_records.py", False),
        ("janitor/tasks/labware_location/select_labwares.sql", False),
        ("janitor/state/__pycache__/run_records.cpython-311.pyc", True),
        (".env", True),
        ("var/janitor.db", True),
        ("tests/test_packaging.py", True),
        (".git/config", True),
    ],
)
def test_image_is_made_of_the_code_alone(path: str, out: bool) -> None:
    assert dockerfile.ignored(path, dockerfile.read_rules(ROOT)) is out


def test_dockerfile_is_read_as_an_engine_reads_it() -> None:
    first_stage = "# a comment\nFROM base:1 AS one\nRUN a \\\n# within\n  && b\n"
    text = first_stage + 'FROM base:2\nCOPY --from=one /a b\nCMD ["c", "d"]\n'
    first, second = dockerfile.parse(text)
    assert (first.name, first.base, second.name, second.base) == ("one", "base:1", "1", "base:2")
    assert first.steps == (dockerfile.Step("RUN", {}, "a   && b"),)
    assert second.steps[0] == dockerfile.Step("COPY", {"from": "one"}, "/a b")
    assert second.steps[1].argv == ["c", "d"]


@pytest.mark.parametrize(
    ("rules", "path", "out"),
    [
        (["*.log"], "a.log", True),
        (["*.log"], "folder/a.log", False),
        (["**/*.log"], "folder/deep/a.log", True),
        (["folder"], "folder/deep/a.log", True),
        (["*", "!folder"], "folder/deep/a.log", False),
        (["!a.log", "*.log"], "a.log", True),
    ],
)
def test_ignore_rules_decide_in_their_order(rules: list[str], path: str, out: bool) -> None:
    assert dockerfile.ignored(path, rules) is out


# What is deployed with it


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(read("compose.yaml"))
    return found


def test_compose_waits_for_servers_that_are_ready() -> None:
    services = compose()["services"]
    assert {"janitor", "mysql", "rabbitmq"} <= set(services)
    for service in services.values():
        for name, wait in service.get("depends_on", {}).items():
            wanted = "service_healthy" if "healthcheck" in services[name] else "service_completed_successfully"
            assert wait["condition"] == wanted
    assert "state:/app/var" in services["janitor"]["volumes"]
    assert {volume.split(":")[0] for volume in services["janitor"]["volumes"]} <= set(compose()["volumes"])


def test_compose_gives_settings_that_janitor_reads() -> None:
    given = compose()["services"]["janitor"]["environment"]
    filled = {name: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value) for name, value in given.items()}
    settings = Settings.load(filled, dotenv=None, of_tasks=run.SETTINGS_OF_TASKS)
    assert settings.needed("LABWHERE_DATABASE_URL").password == "local-janitor"
    assert settings.rabbitmq_host == "rabbitmq"
    # What is published is what it listens on, beyond the container, and somebody may sign in there.
    assert f":{settings.web_port}" in compose()["services"]["janitor"]["ports"][0].rpartition("}")[2]
    assert settings.web_host == "0.0.0.0" and settings.web_operator_token and settings.web_enabled
    assert last("EXPOSE").rest == str(settings.web_port)
    assert given.keys() <= settings.known.keys()


def test_compose_outwaits_the_grace_of_janitor() -> None:
    stated = compose()["services"]["janitor"]["stop_grace_period"]
    assert int(stated.removesuffix("s")) > Settings.load({}, dotenv=None).grace_seconds


def test_compose_mounts_files_that_exist() -> None:
    volumes = [volume for service in compose()["services"].values() for volume in service.get("volumes", [])]
    mounted = [volume.split(":")[0] for volume in volumes if volume.startswith("./")]
    assert len(mounted) == 3
    assert [name for name in mounted if not (ROOT / name).exists()] == []


def test_compose_publishes_ports_on_loopback_only() -> None:
    ports = [port for service in compose()["services"].values() for port in service.get("ports", [])]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


@pytest.fixture
def own_mariadb() -> Iterator[MariaDB]:
    """A server of this test's own: the init script makes databases by their real names."""
    if "JANITOR_TEST_MYSQL_URL" in os.environ:
        pytest.skip("this test needs a MariaDB server of its own, and one was given by URL")
    server = MariaDB()
    try:
        server.start()
        yield server
    finally:
        server.close()


def test_compose_databases_grant_the_least(own_mariadb: MariaDB, tmp_path: Path) -> None:
    own_mariadb.execute("CREATE USER 'janitor'@'%' IDENTIFIED BY 'secret'")
    client = tmp_path / "mysql"
    program = shutil.which("mariadb")
    options = f"--no-defaults --socket={own_mariadb.socket}"
    client.write_text(f'#!/bin/sh\nexec "{program}" {options} "$@"\n')
    client.chmod(0o755)
    given = {"MYSQL_ROOT_PASSWORD": "", "MYSQL_USER": "janitor", "SCHEMAS": str(ROOT / "janitor/demo/schemas")}
    environment = os.environ | given | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["sh", str(ROOT / "deploy/mysql_init.sh")], env=environment, check=True)
    user = pymysql.connect(host="127.0.0.1", port=own_mariadb.port, user="janitor", password="secret")
    with user, user.cursor() as cursor:
        for table in ("labwhere.audits", "mlwh_events.events", "mlwh.iseq_run_status", "mlwh.labware_location"):
            assert cursor.execute(f"SELECT * FROM {table}") == 0
        assert cursor.execute("DELETE FROM mlwh.labware_location") == 0
        with pytest.raises(pymysql.err.OperationalError, match="DELETE command denied"):
            cursor.execute("DELETE FROM mlwh.sample")
        with pytest.raises(pymysql.err.OperationalError, match="command denied"):
            cursor.execute("DELETE FROM labwhere.audits")


@pytest.mark.slow
def test_compose_exchange_routes_to_a_queue(rabbitmq: Broker) -> None:
    rabbitmq.ctl("import_definitions", str(ROOT / "deploy/rabbitmq_definitions.json"))
    with rabbitmq.channel() as channel:
        try:
            channel.exchange_declare(EXCHANGE, "fanout", durable=True)
            channel.confirm_delivery()
            channel.basic_publish(EXCHANGE, "", b"a status", mandatory=True)
            assert channel.basic_get(INSPECT, auto_ack=True)[2] == b"a status"
        finally:
            channel.queue_delete(INSPECT)
            channel.exchange_delete(EXCHANGE)


# The workflows


def workflow(name: str) -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(read(f".github/workflows/{name}.yml"))
    return found


def commands(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


def test_workflow_checks_what_ci_checks() -> None:
    job = workflow("checks")["jobs"]["checks"]
    assert "bash .ci/run" in commands(job)
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.13"]


def test_release_waits_for_the_checks() -> None:
    made = workflow("release")
    # YAML takes a bare `on` for a truth value.
    assert made[True] == {"push": {"branches": ["main", "develop"]}}
    assert made["jobs"]["checks"]["uses"] == "./.github/workflows/checks.yml"
    assert made["jobs"]["release"]["needs"] == "checks"
    script = "\n".join(commands(made["jobs"]["release"]))
    assert "cat .release-version" in script
    assert "docker push" in script
    assert "gh release create" in script


@pytest.mark.parametrize("name", ["checks", "release"])
def test_workflow_steps_are_sound_bash(name: str) -> None:
    for job in workflow(name)["jobs"].values():
        for command in commands(job) if "steps" in job else []:
            checked = subprocess.run(["bash", "-n"], input=command, capture_output=True, text=True)
            assert checked.stderr == ""


# The wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """A wheel of what is committed, built in a copy, since a build leaves folders beside its sources."""
    copy = tmp_path_factory.mktemp("checkout")
    wanted = [
        path for path in committed() if path.name in ("pyproject.toml", "README.md", ".release-version", "run.py")
    ]
    for path in [*wanted, *(path for path in committed() if path.is_relative_to(ROOT / "janitor"))]:
        target = copy / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    build = "from setuptools.build_meta import build_wheel; build_wheel('.')"
    built = subprocess.run([sys.executable, "-c", build], cwd=copy, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr[-2000:]
    with zipfile.ZipFile(next(copy.glob("*.whl"))) as found:
        yield found


def test_wheel_holds_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    package = {str(path.relative_to(ROOT)) for path in committed() if path.is_relative_to(ROOT / "janitor")}
    assert {Path(name).suffix for name in package} >= {".py", ".sql", ".avsc", ".mako"}
    assert package | {"run.py"} <= set(wheel.namelist())


def test_wheel_states_version_and_command(wheel: zipfile.ZipFile) -> None:
    folder = f"janitor-{janitor.__version__}.dist-info"
    assert "janitor = run:main" in wheel.read(f"{folder}/entry_points.txt").decode()
    assert f"\nVersion: {janitor.__version__}\n" in wheel.read(f"{folder}/METADATA").decode()
    assert [name for name in wheel.namelist() if name.startswith(("tests/", "deploy/", "benchmarks/"))] == []
