"""`python -m tests.jobs_file.bare`: the command line without a job of its own."""

import sys

from janitor import cli
from janitor.scheduler import Scheduler

if __name__ == "__main__":
    sys.exit(cli.main(Scheduler))
