"""What pages show and this machine cannot run: commands of other programs, and files that other programs read.

A command must be one that is known here, with options that its program has, and a verb of Janitor with that verb's
options. A file is checked against what it refers to: settings, ports, folders of the image, waits, schedules.
"""

import ast
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from janitor.settings import Settings
from tests.command_line import ROOT
from tests.docs.blocks import Block

KNOWN = (
    "cd",
    "chmod",
    "chronyc",
    "docker build",
    "docker compose",
    "docker cp",
    "docker exec",
    "docker logs",
    "docker rm",
    "docker run",
    "docker stop",
    "git fetch",
    "git pull",
    "git worktree add",
    "git worktree remove",
    "journalctl",
    "kubectl apply",
    "kubectl create secret generic",
    "kubectl exec",
    "kubectl logs",
    "kubectl rollout status",
    "mysqldump",
    "pip install",
    "pipenv shell",
    "pipenv sync",
    "systemctl",
    "systemd-run",
    "timedatectl",
    "useradd",
)
COMPOSE = {"up", "exec", "logs", "run", "--file", "--detach", "--follow", "--build", "--rm"}
OF_A_JOB = re.compile(r"[A-Z0-9_]+_(?:ENABLED|SCHEDULE|NOTICE_[A-Z]+|PING_URL)")
WEB_PORT, STATE_FOLDER = 8080, "/app/var"
IMAGE = "janitor"
GONE_SECONDS = 3.0
"""How long after its grace a daemon is gone."""


def check_command(line: str) -> None:
    """Make sure that a command for another machine can be right.

    Raises:
        AssertionError: its program, its verb or one of its options is not known.
    """
    words = shlex.split(line)
    while words and (words[0] == "sudo" or re.fullmatch(r"[A-Z_]+=.*", words[0])):
        words = words[1:]
    if "run.py" in words:
        at = words.index("run.py")
        check_verb(words[at + 1 :])
        words = words[: at - 1]
        if not words:
            return
    if words[:2] == ["python", "-m"]:
        check_example(words[2], words[3:])
        return
    program = next((known for known in KNOWN if words[: len(known.split())] == known.split()), None)
    assert program, f"{line!r}: this program is not known to the test"
    if (program == "docker run" and "--entrypoint" not in words) or (program == "docker compose" and "run" in words):
        # The image's entry point is `python run.py`: what follows the image, or the service, is a verb.
        assert "run.py" not in line, f"{line!r}: the image begins with `python run.py` by itself"
        image = len(words) - words[::-1].index(IMAGE)
        check_verb(words[image:])
        words = words[:image]
    options = [word.partition("=")[0] for word in words if word.startswith("--") and word != "--"]
    if program == "docker compose":
        unknown = {word for word in options if word not in COMPOSE}
        assert not unknown and COMPOSE & set(words), f"{line!r}: docker compose knows no {unknown}"
        return
    told = _help(program)
    for option in options:
        assert told is None or re.search(rf"{option}\b", told), f"{line!r}: {program} has no {option}"


def check_example(module: str, words: Sequence[str]) -> None:
    """Make sure that an example can be started so: its module is there, and has these options."""
    path = ROOT / Path(*module.split("."))
    assert module.startswith("examples."), f"python -m {module}: this program is not known to the test"
    assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), f"there is no {module}"
    told = subprocess.run([sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True)
    for option in (word for word in words if word.startswith("--")):
        assert re.search(rf"{option}\b", told.stdout), f"python -m {module} has no {option}"


def check_verb(words: Sequence[str]) -> None:
    """Make sure that Janitor has this verb, with these options; a jobs file before the verb must be there."""
    if words[:1] == ["--jobs"]:
        assert (ROOT / words[1]).is_file(), f"there is no {words[1]}"
        words = words[2:]
    verb = next((word for word in words if not word.startswith("-")), "")
    told = _janitor_help(verb)
    for option in (word for word in words if word.startswith("--")):
        assert re.search(rf"{option}\b", told), f"`{' '.join(words)}`: the verb has no {option}"


@cache
def _janitor_help(verb: str) -> str:
    words = [sys.executable, str(ROOT / "run.py"), *([verb] if verb else []), "--help"]
    told = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert told.returncode == 0, f"there is no verb {verb}: {told.stderr}"
    return told.stdout


@cache
def _help(program: str) -> str | None:
    """What a program tells of its options; None if this machine does not have it."""
    words = program.split()
    if shutil.which(words[0]) is None:
        return None
    told = subprocess.run([*words, "--help"], capture_output=True, text=True)
    return told.stdout if told.returncode == 0 else None


@cache
def _settings() -> frozenset[str]:
    return frozenset(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))


def check_setting(name: str) -> None:
    """Make sure that Janitor reads a variable of this name."""
    known = name in _settings() or name.removesuffix("_FILE") in _settings() or OF_A_JOB.fullmatch(name)
    assert known, f"{name} is not a setting"


def _check_grace(seconds: object, given: dict[str, str]) -> None:
    """Make sure that whoever stops the daemon waits until it is gone."""
    grace = float(given.get("GRACE_SECONDS", Settings.load({}).grace_seconds))
    least = grace + GONE_SECONDS
    assert float(re.sub(r"s$", "", str(seconds))) >= least, f"{seconds} is less than GRACE_SECONDS, {grace}, and 3 s"


def _settings_file(block: Block) -> None:
    for line in block.text.splitlines():
        check_setting(line.partition("=")[0])


def _unit(block: Block) -> None:
    given = dict(line.split("=", 1) for line in block.text.splitlines() if "=" in line)
    _check_grace(given["TimeoutStopSec"], {})
    folder, state = given["WorkingDirectory"], f"/var/lib/{given['StateDirectory']}"
    assert given["ExecStart"] == f"{folder}/.venv/bin/python run.py"
    page = block.page.read_text(encoding="utf-8")
    assert f"cd {folder}" in page and f"**{given['EnvironmentFile']}**" in page and f"sqlite:///{state}/" in page


def _compose(block: Block) -> None:
    (service,) = yaml.safe_load(block.text)["services"].values()
    _check_grace(service["stop_grace_period"], service["environment"])
    for name in service["environment"]:
        check_setting(name)
    assert service["environment"]["WEB_USERS_FILE"] == f"/run/secrets/{service['secrets'][0]}"
    assert service["ports"] == [f"127.0.0.1:{WEB_PORT}:{Settings.load({}).web_port}"]
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (volume,) = service["volumes"]
    assert volume.endswith(f":{STATE_FOLDER}") and f"VOLUME {STATE_FOLDER}\n" in image
    assert f"EXPOSE {WEB_PORT}\n" in image


def kubernetes_parts(block: Block) -> tuple[dict[str, Any], dict[str, Any]]:
    """The specification of the pods of a manifest, and that of its service."""
    deployment, service = yaml.safe_load_all(block.text)
    return deployment["spec"], service["spec"]


def probe_paths(block: Block) -> list[str]:
    """The paths that a manifest's probes ask."""
    (container,) = kubernetes_parts(block)[0]["template"]["spec"]["containers"]
    return [container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")]


def _kubernetes(block: Block) -> None:
    deployment, service = kubernetes_parts(block)
    pods = deployment["template"]["spec"]
    (container,) = pods["containers"]
    given = {one["name"]: one["value"] for one in container["env"]}
    for name in given:
        check_setting(name)
    assert all(isinstance(value, str) for value in given.values()), "Kubernetes takes texts only"
    _check_grace(pods["terminationGracePeriodSeconds"], given)
    assert deployment["replicas"] == 2 and deployment["strategy"] == {"type": "Recreate"}
    labels = deployment["selector"]["matchLabels"]
    assert labels == deployment["template"]["metadata"]["labels"] == service["selector"]
    (port,) = container["ports"]
    assert port["containerPort"] == Settings.load({}).web_port
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["port"] == port["name"]
    assert service["ports"][0]["targetPort"] == port["name"]
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    user = pods["securityContext"]["runAsUser"]
    assert f"USER {user}:0\n" in image
    assert container["volumeMounts"][0]["mountPath"] == STATE_FOLDER
    secret = container["envFrom"][0]["secretRef"]["name"]
    assert f"kubectl create secret generic {secret} " in block.page.read_text(encoding="utf-8")


def _traefik(block: Block) -> None:
    http = yaml.safe_load(block.text)["http"]
    ((name, router),) = http["routers"].items()
    balancer = http["services"][router["service"]]["loadBalancer"]
    assert name and balancer["passHostHeader"] is True and "tls" in router
    assert [one["url"] for one in balancer["servers"]] == [f"http://127.0.0.1:{WEB_PORT}"]
    assert re.fullmatch(r"Host\(`[\w.]+`\)", router["rule"])


def _crontab(block: Block) -> None:
    """Each line must come again on the page as a schedule and a script of a job."""
    page = block.page.read_text(encoding="utf-8")
    for line in block.text.splitlines():
        *fields, command = line.split(maxsplit=5)
        script = ", ".join(command.split())
        assert f"schedule: cron {' '.join(fields)}\n" in page and f"args: [sh, {script}]" in page, line


def _python(block: Block) -> None:
    ast.parse(block.text)


def _by_a_real_program(block: Block) -> None:
    """Tested in test_other_programs.py, by the program itself."""


FILES: dict[str, Callable[[Block], None]] = {
    "/etc/janitor.env": _settings_file,
    "/etc/systemd/system/janitor.service": _unit,
    ".env": _settings_file,
    "compose.production.yaml": _compose,
    "janitor.yaml": _kubernetes,
    "janitor.conf": _by_a_real_program,
    "Caddyfile": _by_a_real_program,
    "traefik_janitor.yaml": _traefik,
    "crontab": _crontab,
    "celery_app.py": _python,
    "before.py": _python,
}


def commands(block: Block) -> list[str]:
    """The commands of an `sh` block; a line that ends with a backslash goes on."""
    return block.text.replace("\\\n", " ").splitlines()


def block_of(page: Path, file: str, found: Sequence[Block]) -> Block:
    """The block of a page that is this file."""
    return next(block for block in found if block.file == file)
