"""The page of a pipeline's dead letters, and what an operator may do with them."""

from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import Response

from janitor.errors import JanitorError
from janitor.operations import item_messages
from janitor.web import addresses
from janitor.web.injected import Operator, TheDesk, Viewer
from janitor.web.pages.items import known_or_404
from janitor.web.pages.page import page, page_router
from janitor.web.queries.letters import letter_list, letter_of, letters_of
from janitor.web.rendering import redirect, with_query
from janitor.web.taking import take_again

LINES = 50
"""How many letters a page shows."""

router = page_router()


@router.get("/pipelines/{pipeline}/letters")
def letters(
    request: Request,
    desk: TheDesk,
    user: Viewer,
    pipeline: str,
    after: Annotated[int | None, Query(ge=0, le=2**53)] = None,
) -> Response:
    """The messages that could not become items, and that nobody has dropped."""
    with desk.state.read() as connection:
        found = known_or_404(desk, connection, pipeline)
        view = letter_list(connection, pipeline, LINES, after)
    path = addresses.of_letters(pipeline)
    values: dict[str, Any] = {
        "view": view,
        "pipeline": pipeline,
        "inboxes": {inbox.name for inbox in found.whole.inboxes} if found.whole else set(),
        "newer": path if after is not None else None,
        "older": with_query(path, {"after": view.next_after}) if view.next_after is not None else None,
        "now": desk.now(),
    }
    return page(request, desk, user, "letters.html", **values)


@router.post("/pipelines/{pipeline}/letters/{letter}/again")
def again(desk: TheDesk, user: Operator, pipeline: str, letter: int) -> Response:
    """Take the message of a dead letter once more."""
    path = addresses.of_letters(pipeline)
    with desk.state.read() as connection:
        found = known_or_404(desk, connection, pipeline)
        line = letter_of(connection, pipeline, letter)
    if line is None:
        return redirect(path, f"{pipeline} has no dead letter {letter}, or it was dropped", wrong=True)
    try:
        verdict = take_again(desk.state, found, line, user.name, desk.now())
    except JanitorError as exc:
        return redirect(path, str(exc), wrong=True)
    if verdict.reason is None:
        return redirect(path, f"The message of dead letter {letter} is taken")
    reason = desk.runner.mask(verdict.reason)
    return redirect(path, f"The message of dead letter {letter} is dead once more: {reason}", wrong=True)


@router.post("/pipelines/{pipeline}/letters/{letter}/drop")
def drop(desk: TheDesk, user: Operator, pipeline: str, letter: int) -> Response:
    """Let a dead letter count no more."""
    with desk.state.read() as connection:
        known_or_404(desk, connection, pipeline)
        ids = letters_of(connection, pipeline, [letter])
    done = item_messages.drop_letters(desk.state, ids, user.name, desk.now())
    said = f"Dead letter {letter} is dropped" if done else f"{pipeline} has no dead letter {letter}, or it was dropped"
    return redirect(addresses.of_letters(pipeline), said, wrong=not done)
