"""Run one task, recorded, in a process of its own that a test may kill: `python -m tests.tasks.once TASK FOLDER`.

It says `ready` just before the task begins, and then its outcome and reason. Pages are small: there is a middle.
"""

import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tests.recorded_runs import Daemon

PAGE_ROWS = 20
ROOT = Path(__file__).parents[2]


def main(task: str, folder: str) -> None:
    """Run the task `package.function` on the settings in the environment."""
    package, _, function = task.rpartition(".")
    module = importlib.import_module(f"janitor.tasks.{package}")
    if package == "labware_location":
        module.sync.rows.PAGE_ROWS = PAGE_ROWS
    daemon = Daemon(os.environ, Path(folder))
    print("ready", flush=True)
    ending = daemon.run(getattr(module, function), task)
    print(ending.outcome.value, ending.reason or "", flush=True)
    daemon.close()


def killed_after(task: str, folder: Path, environment: Mapping[str, str], seconds: float) -> str | None:
    """Run a task and kill it so many seconds after it began; what it said if it had ended by then, else None."""
    command = [sys.executable, "-m", "tests.tasks.once", task, str(folder)]
    variables = {**os.environ, **environment}
    with subprocess.Popen(command, env=variables, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        said = process.stdout.read().strip()
    return said or None


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
