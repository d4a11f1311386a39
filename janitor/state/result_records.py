"""Results: what runs returned, each a JSON text."""

from sqlalchemy import Connection, bindparam, insert, select

from janitor.state.tables import results

_RESULT = select(results.c.content).where(results.c.run_id == bindparam("b_run"))


def add(connection: Connection, run_id: int, content: str) -> None:
    """Keep what a run returned, a JSON text."""
    connection.execute(insert(results).values(run_id=run_id, content=content))


def load(connection: Connection, run_id: int) -> str | None:
    """What a run returned, a JSON text; None if nothing is kept."""
    return connection.execute(_RESULT, {"b_run": run_id}).scalar()
