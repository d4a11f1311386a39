"""Alembic's entry: migrate over the connection that `upgrade` hands in."""

from alembic import context

from janitor.state.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
