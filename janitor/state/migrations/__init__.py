"""The steps from an empty state database to the newest schema, run by Alembic."""
