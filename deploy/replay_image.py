"""Replay the Dockerfile without a Docker engine, and try what it builds as the image's user.

Every stage gets a Debian root of its own (debootstrap), in which a Debian whose python3 is of the same version stands
in for the python:*-slim base; the instructions are read from the Dockerfile and carried out by chroot. Then the
daemon is started as a container would start it (PID 1, its user, its environment, embedded parts), its HEALTHCHECK is
asked until it passes, and SIGTERM must end it with exit code 0. An instruction that is not known here stops the
replay: nothing is passed over in silence. Needs root, debootstrap and unshare; packages come from where this
machine's pip and apt get them. From the checkout:

    sudo python3 -m deploy.replay_image [--context DIR] [--mirror URL] [--fresh] [--keep]
"""

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from deploy.dockerfile import ReplayError, Stage, Step, exec_form, ignored, parse, read_rules, variables

ROOT = Path(__file__).resolve().parent.parent
DEBIAN_WITH = {"3.11": "bookworm", "3.13": "trixie"}
BASE_PACKAGES = "python3,python3-venv,ca-certificates"
BASE_PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
EMBEDDED = {
    "WEB_PORT": "0",
    "LABWHERE_DATABASE_URL": "sqlite:///var/labwhere.db",
    "MLWH_DATABASE_URL": "sqlite:///var/mlwh.db",
    "MLWH_EVENTS_DATABASE_URL": "sqlite:///var/mlwh_events.db",
    "MESSAGES_DIR": "var/messages",
    "LABWARE_LOCATION_SCHEDULE": "every 2s",
    "SEQUENCING_PUBLISHER_SCHEDULE": "every 2s",
    "SEQUENCING_PUBLISHER_SINCE": "2000-01-01",
}
JOBS = ("labware_location", "sequencing_publisher")
FILL = """
from datetime import datetime, timezone
from sqlalchemy import create_engine
from janitor.demo import warehouses

engines = [create_engine(f"sqlite:///var/{name}.db") for name in warehouses.NAMES]
for engine, name in zip(engines, warehouses.NAMES, strict=True):
    warehouses.create_tables(engine, name)
warehouses.fill(*engines, labwares=500, runs=4, seed=1, now=datetime.now(timezone.utc), products=8)
"""
HEALTHY_WITHIN_SECONDS = 60
WORKED_WITHIN_SECONDS = 60
STOPPED_WITHIN_SECONDS = 60


@dataclass(frozen=True)
class Image:
    """What a stage has come to: its root and what its instructions have set."""

    root: Path
    env: dict[str, str] = field(default_factory=lambda: {"PATH": BASE_PATH, "LANG": "C.UTF-8"})
    workdir: PurePosixPath = PurePosixPath("/")
    user: str = "0:0"
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    healthcheck: tuple[str, ...] = ()
    stop_signal: int = signal.SIGTERM

    def path(self, inside: str | PurePosixPath) -> Path:
        """Return where a path of the image is on this machine; a relative one is below the image's WORKDIR."""
        return self.root / (self.workdir / inside).relative_to("/")


class Replay:
    """Carries out the stages of one Dockerfile, each in a root of its own below `work`."""

    def __init__(self, context: Path, base: Path, work: Path) -> None:
        self.context = context
        self.base = base
        self.work = work
        self.rules = read_rules(context)
        self.images: dict[str, Image] = {}

    def build(self, stages: list[Stage]) -> Image:
        """Return the image of the last stage. Only the stages before it can reach a package registry."""
        for stage in stages:
            say(f"FROM {stage.base} AS {stage.name}")
            root = self.work / stage.name
            run(["cp", "-a", "--reflink=auto", str(self.base), str(root)])
            image = Image(root)
            lent = {} if stage is stages[-1] else lend_network(root)
            for step in stage.steps:
                say(f"{step.keyword} {step.rest}")
                image = self.carry_out(step, image, lent)
            self.images[stage.name] = image
        return image

    def carry_out(self, step: Step, image: Image, lent: dict[str, str]) -> Image:
        """Return the image after one instruction; `lent` are variables of this machine that a RUN may see."""
        match step.keyword:
            case "RUN":
                run(in_root(image, step.argv or ["/bin/sh", "-c", step.rest], lent))
            case "COPY":
                self.copy(step, image)
            case "ENV":
                return replace(image, env=image.env | variables(step.rest, image.env))
            case "WORKDIR":
                image = replace(image, workdir=image.workdir / step.rest)
                image.path(".").mkdir(parents=True, exist_ok=True)
            case "USER":
                return replace(image, user=step.rest)
            case "ENTRYPOINT":
                return replace(image, entrypoint=exec_form(step))
            case "CMD":
                return replace(image, cmd=exec_form(step))
            case "HEALTHCHECK":
                return replace(image, healthcheck=exec_form(Step("HEALTHCHECK", {}, step.rest.removeprefix("CMD "))))
            case "STOPSIGNAL":
                return replace(image, stop_signal=signal.Signals[step.rest])
            case "VOLUME":
                if not image.path(step.rest).is_dir():
                    raise ReplayError(f"VOLUME {step.rest}: no step has made that folder, so root would own it")
            case "EXPOSE":
                pass  # it tells what could be published, and publishes nothing
            case _:
                raise ReplayError(f"the replay does not know {step.keyword}; teach it, or do without in the Dockerfile")
        return image

    def copy(self, step: Step, image: Image) -> None:
        """Copy files of the context, or of an earlier stage (--from), into the image, owned by root."""
        if unknown := set(step.flags) - {"from"}:
            raise ReplayError(f"the replay does not know COPY --{unknown.pop()}")
        *sources, target = step.rest.split()
        stage = self.images[step.flags["from"]] if "from" in step.flags else None
        into = image.path(target)
        for source in sources:
            origin = stage.path(source) if stage else self.context / source
            if not origin.exists() or (stage is None and origin.is_file() and ignored(source, self.rules)):
                raise ReplayError(f"COPY {source}: there is no such file, or .dockerignore keeps it out")
            if origin.is_dir():
                self.copy_folder(origin, into, from_context=stage is None)
            else:
                put(origin, into / origin.name if target.endswith("/") or len(sources) > 1 else into)

    def copy_folder(self, origin: Path, into: Path, *, from_context: bool) -> None:
        """Copy what is in a folder; of the context only what .dockerignore lets in."""
        for file in sorted(origin.rglob("*")):
            if from_context and ignored(file.relative_to(self.context).as_posix(), self.rules):
                continue
            if file.is_dir() and not file.is_symlink():
                (into / file.relative_to(origin)).mkdir(parents=True, exist_ok=True)
            else:
                put(file, into / file.relative_to(origin))


def put(file: Path, target: Path) -> None:
    """Copy one file or link with its mode and times; root owns the copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(file, target, follow_symlinks=False)
    os.chown(target, 0, 0, follow_symlinks=False)


def say(text: str) -> None:
    """Print a line about what is done now."""
    print(f"== {text}", flush=True)


def run(argv: list[str]) -> None:
    """Run a command and wait for it; raises ReplayError unless its exit code is 0."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise ReplayError(f"exit code {done.returncode}: {shlex.join(argv)[-300:]}")


def in_root(image: Image, argv: list[str], more_env: dict[str, str]) -> list[str]:
    """Return the command that runs argv in the image as PID 1 of a space of its own, which ends with it."""
    space = ["unshare", "--mount", "--pid", "--fork", "--kill-child", f"--mount-proc={image.root}/proc"]
    return [*space, *chrooted(image, argv, more_env)]


def chrooted(image: Image, argv: list[str], more_env: dict[str, str]) -> list[str]:
    """Return the command that runs argv in the image's root, as its user, in its folder, with its environment."""
    env = [f"{name}={value}" for name, value in (more_env | image.env).items()]
    enter = ["chroot", f"--userspec={image.user}", "--groups=", str(image.root)]
    return [*enter, "/usr/bin/env", "-i", "-C", str(image.workdir), *env, *argv]


def lend_network(root: Path) -> dict[str, str]:
    """Let a root reach packages as this machine does; returns the variables that its commands need for it."""
    needed = re.compile(r"PIP_.*|.*_proxy|SSL_CERT_FILE|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE", re.IGNORECASE)
    lent = {name: value for name, value in os.environ.items() if needed.fullmatch(name)}
    home = Path.home()
    settings = [Path("/etc/pip.conf"), home / ".pip/pip.conf", home / ".config/pip/pip.conf"]
    names = [
        "/etc/resolv.conf",
        "/etc/hosts",
        "/etc/ssl/certs/ca-certificates.crt",
        *map(str, settings),
        *lent.values(),
    ]
    for file in (Path(name) for name in names if name.startswith("/")):
        if file.is_file():
            inside = Path("/root") / file.relative_to(home) if file.is_relative_to(home) else file
            put(file.resolve(), root / inside.relative_to("/"))
    return lent


def base_root(base: str, mirror: str | None, *, fresh: bool) -> Path:
    """Return a Debian root that stands in for a python:*-slim image; made once and kept in the user's cache."""
    found = re.fullmatch(r"python:(\d+\.\d+)-slim", base)
    if found is None or found[1] not in DEBIAN_WITH:
        raise ReplayError(
            f"no Debian is known to stand in for {base}; known are python:{{{','.join(DEBIAN_WITH)}}}-slim"
        )
    suite = DEBIAN_WITH[found[1]]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "janitor-image"
    root = cache / suite
    if fresh:
        shutil.rmtree(root, ignore_errors=True)
    if not root.exists():
        cache.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f"{suite}-", dir=cache))
        try:
            make_base(partial, suite, mirror or apt_mirror())
            partial.rename(root)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return root


def make_base(root: Path, suite: str, mirror: str) -> None:
    """Fill an empty folder with a Debian whose python3 and pip are called and behave as those of the base image."""
    say(f"debootstrap {suite}")
    run(["debootstrap", "--variant=minbase", f"--include={BASE_PACKAGES}", suite, str(root), mirror])
    root.chmod(0o755)
    # An environment where the base image has its Python: Debian's own pip may not touch what Debian has installed.
    run(in_root(Image(root), ["/usr/bin/python3", "-m", "venv", "/usr/local"], {}))


def apt_mirror() -> str:
    """Return the address from which this machine's apt gets Debian itself; raises ReplayError where it has none."""
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    for address in done.stdout.split():
        if "security" not in address:
            return address
    raise ReplayError("apt on this machine has no source for Debian; give one with --mirror URL")


def try_files(image: Image, context: Path) -> None:
    """Check what the image holds: the stated version, no package beyond the lock's default ones, no right to write."""
    version = (context / ".release-version").read_text().strip()
    found = inside(image, "import janitor; print(janitor.__version__)")
    if found != version:
        raise ReplayError(f".release-version says {version}, and the image's janitor {found}")
    lock = json.loads((context / "Pipfile.lock").read_text())
    listed = inside(
        image, "from importlib import metadata as m; print(*(d.metadata['Name'] for d in m.distributions()))"
    )
    names = {re.sub(r"[-_.]+", "-", name).lower() for name in listed.split()}
    if more := names - set(lock["default"]) - {"pip", "setuptools", "wheel"}:
        raise ReplayError(f"the image holds packages that Janitor does not run on: {', '.join(sorted(more))}")
    writable = inside(
        image, "import os; print(*(p for p in ('.', 'janitor', 'run.py', 'var') if os.access(p, os.W_OK)))"
    )
    if writable != "var":
        raise ReplayError(f"the image's user may write {writable or 'nowhere'}, and ought to write var alone")
    say(f"janitor {version}, {len(names)} packages, user {image.user}, writes var alone")


def inside(image: Image, code: str) -> str:
    """Return what a line of Python prints in the image, as its user."""
    command = in_root(image, ["python", "-c", code], {})
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ReplayError(f"in the image: {done.stderr.strip()[-500:]}")
    return done.stdout.strip()


def try_daemon(image: Image) -> None:
    """Start the image's command with embedded parts, see it healthy and at work, and stop it as an engine would."""
    inside(image, FILL)
    say(shlex.join([*image.entrypoint, *image.cmd]))
    name = signal.Signals(image.stop_signal).name
    daemon = subprocess.Popen(in_root(image, [*image.entrypoint, *image.cmd], EMBEDDED), stdin=subprocess.DEVNULL)
    try:
        await_health(image, daemon)
        await_work(image, daemon)
        os.kill(first_process(daemon), image.stop_signal)
        code = daemon.wait(STOPPED_WITHIN_SECONDS)
    except subprocess.TimeoutExpired as exc:
        raise ReplayError(f"still running {STOPPED_WITHIN_SECONDS} s after {name}") from exc
    finally:
        daemon.kill()
        daemon.wait()
    if code != 0:
        raise ReplayError(f"the daemon ended with exit code {code} after {name}")
    say(f"{name}: stopped with exit code 0")


def first_process(daemon: subprocess.Popen[bytes]) -> int:
    """Return the id, on this machine, of what is PID 1 in the image; raises ReplayError if it has ended."""
    if daemon.poll() is not None:
        raise ReplayError(f"the daemon ended by itself, with exit code {daemon.returncode}")
    children = Path(f"/proc/{daemon.pid}/task/{daemon.pid}/children")
    while not (found := children.read_text().split()):
        time.sleep(0.1)
    return int(found[0])


def beside(image: Image, daemon: subprocess.Popen[bytes], argv: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command beside the daemon, as `docker exec` and health checks do, and return what came of it."""
    enter = ["nsenter", f"--target={first_process(daemon)}", "--mount", "--pid"]
    command = [*enter, *chrooted(image, argv, EMBEDDED)]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def await_health(image: Image, daemon: subprocess.Popen[bytes]) -> None:
    """Wait until the image's health check passes; raises ReplayError if that takes too long."""
    began = time.monotonic()
    said = ""
    while time.monotonic() - began < HEALTHY_WITHIN_SECONDS:
        time.sleep(0.5)
        asked = beside(image, daemon, list(image.healthcheck))
        if asked.returncode == 0:
            say(f"healthy after {time.monotonic() - began:.1f} s: {asked.stdout.strip()}")
            return
        said = (asked.stdout + asked.stderr).strip()
    raise ReplayError(f"not healthy within {HEALTHY_WITHIN_SECONDS} s; its health check says: {said[-500:]}")


def await_work(image: Image, daemon: subprocess.Popen[bytes]) -> None:
    """Wait until a run of each flagship job has succeeded; raises ReplayError with what the last ones came to."""
    outcomes: dict[str, str] = {}
    for _ in range(WORKED_WITHIN_SECONDS):
        time.sleep(1)
        asked = beside(image, daemon, [*image.entrypoint, "history", "--json"])
        runs = json.loads(asked.stdout) if asked.returncode == 0 else []
        outcomes |= {
            run["job"]: f"{run['outcome']} {run['counts']}" for run in runs if run.get("outcome") == "succeeded"
        }
        if outcomes.keys() >= set(JOBS):
            say("; ".join(f"{job} {outcomes[job]}" for job in JOBS))
            return
    raise ReplayError(f"no run of each job succeeded within {WORKED_WITHIN_SECONDS} s; history: {asked.stdout[:2000]}")


def lacking() -> Iterator[str]:
    """Yield what this machine lacks for a replay, in words."""
    if os.geteuid() != 0:
        yield "root's rights"
    for program, package in {"debootstrap": "debootstrap", "unshare": "util-linux", "nsenter": "util-linux"}.items():
        if shutil.which(program) is None:
            yield f"{program} (on Debian: apt-get install {package})"


def main() -> int:
    """Replay and try; returns 0, 1 if something did not hold, 2 if this machine cannot replay at all."""
    parser = argparse.ArgumentParser(description="Replay the Dockerfile without a Docker engine.")
    parser.add_argument(
        "--context", type=Path, default=ROOT, help="the folder with the Dockerfile (default: this checkout)"
    )
    parser.add_argument("--mirror", help="where to get Debian (default: where this machine's apt gets it)")
    parser.add_argument(
        "--fresh", action="store_true", help="make the Debian root anew, and not take the one in the cache"
    )
    parser.add_argument("--keep", action="store_true", help="leave the roots behind, and say where")
    options = parser.parse_args()
    if missing := list(lacking()):
        print(f"replay_image.py: needs {' and '.join(missing)}", file=sys.stderr)
        return 2
    work = Path(tempfile.mkdtemp(prefix="janitor-image-", dir="/var/tmp"))
    try:
        stages = parse((options.context / "Dockerfile").read_text())
        base = base_root(stages[-1].base, options.mirror, fresh=options.fresh)
        image = Replay(options.context.resolve(), base, work).build(stages)
        try_files(image, options.context)
        try_daemon(image)
    except ReplayError as exc:
        print(f"replay_image.py: {exc}", file=sys.stderr)
        return 1
    finally:
        if options.keep:
            say(f"left in {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
