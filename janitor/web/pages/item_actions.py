"""The forms about items: each does one thing by `janitor.operations`, and leads back to a page that says so.

A form of an item's page sends its key, a form of a list the filters of the list and how many items they had chosen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Form
from fastapi.responses import Response

from janitor.errors import JanitorError
from janitor.operations import items as operations
from janitor.operations import replies
from janitor.operations.items import Chosen
from janitor.state.item_search import Wanted
from janitor.web import addresses, chosen
from janitor.web.desk import Desk
from janitor.web.injected import Operator, TheDesk
from janitor.web.pages.items import known_or_404, wanted_of
from janitor.web.pages.page import page_router
from janitor.web.rendering import redirect

router = page_router()

Field = Annotated[str, Form(max_length=2_000)]


@dataclass(frozen=True)
class Meant:
    """The items that a form means: one by its key, or all that filters choose, if these are `most` at the most."""

    pipeline: str
    item: str
    wanted: Wanted
    back: str
    most: int

    def choose(self, desk: Desk, with_steps_in: Sequence[str] = ()) -> Chosen:
        """Find them.

        Raises:
            JanitorError: there is none with this key, or the filters choose too many or none.
        """
        if self.item:
            return operations.by_key(desk.state, self.pipeline, self.item)
        # What can be tried again becomes more while somebody looks, and no harm is done.
        most = chosen.MOST if with_steps_in else self.most
        return chosen.by_filter(desk.state, self.wanted, most, with_steps_in)


def meant(
    desk: TheDesk,
    pipeline: str,
    item: Annotated[str, Form(max_length=255)] = "",
    key: Annotated[str, Form(max_length=300)] = "",
    step: Annotated[str, Form(max_length=64)] = "",
    status: Annotated[str, Form(max_length=64)] = "",
    state: Annotated[str, Form(max_length=64)] = "",
    flagged: Annotated[bool, Form()] = False,
    most: Annotated[int, Form(ge=0, le=chosen.MOST)] = 0,
) -> Meant:
    """What a form means, as a dependency.

    Raises:
        HTTPException: 404, if there is no such pipeline.
    """
    with desk.state.read() as connection:
        known_or_404(desk, connection, pipeline)
    filters = {"key": key, "step": step, "status": status, "state": state, "flagged": flagged}
    of_list = f"{addresses.of_pipeline(pipeline, **filters)}#items"
    back = addresses.of_item(pipeline, item) if item else of_list
    return Meant(pipeline, item, wanted_of(pipeline, key, step, status, state, flagged), back, most)


TheMeant = Annotated[Meant, Depends(meant)]


@router.post("/pipelines/{pipeline}/retry")
def retry(desk: TheDesk, user: Operator, these: TheMeant, at_step: Field = "") -> Response:
    """Let steps that failed, or wait for another try, be taken now."""

    def do() -> str:
        found = these.choose(desk, chosen.TO_RETRY)
        steps = [at_step] if at_step else None
        done = operations.retry(desk.state, found, user.name, desk.now(), steps)
        return _told(these, done, "tried again", "has no step that could be tried again")

    return _done(do, these.back)


@router.post("/pipelines/{pipeline}/replies")
def retry_replies(desk: TheDesk, user: Operator, these: TheMeant) -> Response:
    """Let replies that were given up, or wait for another try, be sent now: of one item, or of all."""

    def do() -> str:
        done = replies.send_again(desk.state, these.pipeline, these.item or None, user.name, desk.now())
        return f"{done:,} repl{'y is' if done == 1 else 'ies are'} sent again"

    return _done(do, these.back if these.item else addresses.of_pipeline(these.pipeline))


@router.post("/pipelines/{pipeline}/reprocess")
def reprocess(desk: TheDesk, user: Operator, these: TheMeant) -> Response:
    """Let all steps be done again."""

    def do() -> str:
        done = operations.reprocess(desk.state, these.choose(desk), user.name, desk.now())
        return _told(these, done, "done again from the beginning", "is gone")

    return _done(do, these.back)


@router.post("/pipelines/{pipeline}/reset")
def reset(desk: TheDesk, user: Operator, these: TheMeant, from_step: Field = "") -> Response:
    """Let a step, and all behind it, be done again."""

    def do() -> str:
        done = operations.reset(desk.state, these.choose(desk), from_step, user.name, desk.now())
        return _told(these, done, f"done again from {from_step} on", "is gone")

    return _done(do, these.back)


@router.post("/pipelines/{pipeline}/drop")
def drop(desk: TheDesk, user: Operator, these: TheMeant, note: Field = "") -> Response:
    """Delete items, with a note that says why."""
    try:
        clean = operations.cleaner(desk.state, desk.jobs, these.pipeline, desk.settings)
        done = operations.drop(desk.state, these.choose(desk), note, user.name, desk.now(), clean)
    except JanitorError as exc:
        return redirect(these.back, str(exc), wrong=True)
    back = addresses.of_pipeline(these.pipeline) if these.item else these.back
    return redirect(back, _told(these, done, "deleted", "was deleted already"))


@router.post("/pipelines/{pipeline}/flag")
def flag(desk: TheDesk, user: Operator, these: TheMeant, note: Field = "") -> Response:
    """Mark an item for people."""

    def do() -> str:
        operations.flag(desk.state, these.pipeline, these.item, note, user.name, desk.now())
        return f"{these.item} is flagged"

    return _done(do, these.back)


@router.post("/pipelines/{pipeline}/resolve")
def resolve(desk: TheDesk, user: Operator, these: TheMeant, note: Field = "") -> Response:
    """Note what became of an item's flag."""

    def do() -> str:
        done = operations.resolve(desk.state, these.pipeline, these.item, note, user.name, desk.now())
        return f"The flag of {these.item} is resolved" if done else f"{these.item} has no flag that is open"

    return _done(do, these.back)


def _told(these: Meant, done: int, what: str, otherwise: str) -> str:
    """What was done, in a sentence."""
    if these.item:
        return f"{these.item} is {what}" if done else f"{these.item} {otherwise}"
    return f"{done:,} item{' is' if done == 1 else 's are'} {what}"


def _done(do: Callable[[], str], path: str) -> Response:
    """Do something, and lead to a page that says what was done, or why it was not done."""
    try:
        return redirect(path, do())
    except JanitorError as exc:
        return redirect(path, str(exc), wrong=True)
