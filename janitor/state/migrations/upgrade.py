"""Run the migrations on an engine that is open already."""

import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError

from janitor.errors import JanitorError

TRIES = 5


def upgrade(engine: Engine) -> None:
    """Bring the schema to its newest version. Two daemons that start at once may both call it."""
    for attempt in range(1, TRIES + 1):
        try:
            return _upgrade(engine)
        except (DatabaseError, JanitorError, CommandError):
            # MySQL commits DDL at once. The loser of a race may find tables half made, or a step recorded already that
            # it wants to record: at the next try everything is there.
            if attempt == TRIES:
                raise
            time.sleep(0.5 * attempt)


def _upgrade(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
