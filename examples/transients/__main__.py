"""`python -m examples.transients`: the daemon with this pipeline alone; with a verb behind it, that verb."""

import os
import sys

from examples.transients.pipeline import FOLDER, build
from janitor import cli

if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("STATE_DATABASE_URL", f"sqlite:///{FOLDER / 'state.db'}")
    os.environ.setdefault("HEARTBEAT_FILE", str(FOLDER / "heartbeat"))
    sys.exit(cli.main(build))
