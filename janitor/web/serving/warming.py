"""Warming: what a daemon's first page has to do only once, done before somebody asks for it."""

from collections.abc import Iterator
from contextlib import suppress

from janitor.errors import JanitorError
from janitor.web import rendering
from janitor.web.desk import Desk
from janitor.web.queries.overview import overview_of


def steps(desk: Desk) -> Iterator[str]:
    """Take a step whenever the next is asked for, and tell its name: compile a template, ask for the overview."""
    yield from rendering.compiled()
    # Its statements are made here, and the server reads into memory what the first page shows.
    with suppress(JanitorError), desk.state.read() as connection:
        overview_of(connection, desk.jobs, desk.now())
    yield "the overview"
