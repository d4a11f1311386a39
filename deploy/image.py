"""An image under construction: its root on this machine, and how commands run in it."""

import os
import shlex
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from deploy.dockerfile import ReplayError

BASE_PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Image:
    """What a stage has become so far: its root, and everything that its instructions have set."""

    root: Path
    env: dict[str, str] = field(default_factory=lambda: {"PATH": BASE_PATH, "LANG": "C.UTF-8"})
    workdir: PurePosixPath = PurePosixPath("/")
    user: str = "0:0"
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    healthcheck: tuple[str, ...] = ()
    stop_signal: int = signal.SIGTERM

    def path(self, inside: str | PurePosixPath) -> Path:
        """Return where a path of the image is on this machine; a relative path is below the image's WORKDIR."""
        return self.root / (self.workdir / inside).relative_to("/")


def put(file: Path, target: Path) -> None:
    """Copy a file or link with its mode and times; root owns the copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(file, target, follow_symlinks=False)
    os.chown(target, 0, 0, follow_symlinks=False)


def say(text: str) -> None:
    """Print what is done now."""
    print(f"== {text}", flush=True)


def run(argv: list[str]) -> None:
    """Run a command and wait for it.

    Raises:
        ReplayError: its exit code is not 0.
    """
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise ReplayError(f"exit code {done.returncode}: {shlex.join(argv)[-300:]}")


def in_root(image: Image, argv: list[str], more_env: dict[str, str]) -> list[str]:
    """Return the command that runs argv in the image as PID 1. All processes in the image end with it."""
    space = ["unshare", "--mount", "--pid", "--fork", "--kill-child", f"--mount-proc={image.root}/proc"]
    return [*space, *chrooted(image, argv, more_env)]


def chrooted(image: Image, argv: list[str], more_env: dict[str, str]) -> list[str]:
    """Return the command that runs argv in the image's root, as its user, in its folder, with its environment."""
    env = [f"{name}={value}" for name, value in (more_env | image.env).items()]
    enter = ["chroot", f"--userspec={image.user}", "--groups=", str(image.root)]
    return [*enter, "/usr/bin/env", "-i", "-C", str(image.workdir), *env, *argv]
