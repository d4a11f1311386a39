"""Run one task, recorded, in a process of its own: `python -m benchmarks.once TASK FOLDER`, with the settings in the
environment. Its last line is JSON: seconds of the task and of the whole run, peak memory in MB, and the counts.
"""

import importlib
import json
import os
import sys
import time
from pathlib import Path

from benchmarks.measures import Clocked, peak_mb
from tests.recorded_runs import Daemon


def main(task: str, folder: str) -> None:
    """Run the task `package.function`."""
    package, _, function = task.rpartition(".")
    func = getattr(importlib.import_module(f"janitor.tasks.{package}"), function)
    clocked = Clocked(func)
    daemon = Daemon(os.environ, Path(folder))
    began = time.perf_counter()
    counts = daemon.counts(clocked, task)
    whole = time.perf_counter() - began
    daemon.close()
    [seconds] = clocked.seconds
    print(json.dumps({"seconds": seconds, "run_seconds": whole, "peak_mb": peak_mb(), "counts": dict(counts)}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
