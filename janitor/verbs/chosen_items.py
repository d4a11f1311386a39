"""Which items a verb is about: one by its key, or all that its options choose."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import click

from janitor.errors import BadSetting
from janitor.items import adding
from janitor.items.pipeline import Pipeline
from janitor.items.pipelines import pipelines_of
from janitor.operations import items as operations
from janitor.operations.items import Chosen
from janitor.runs.bounds import listed_near
from janitor.state.item_search import Wanted
from janitor.verbs.assembly import Assembly

Verb = TypeVar("Verb", bound=Callable[..., Any])
ALL = "give PIPELINE/KEY for an item, an option such as --state failed, or --key '*' for all items"
_FILTERS = (
    click.option("--step", help="The step that --status and --state are about."),
    click.option("--status", help="Those with this status, at --step or at any step."),
    click.option(
        "--state", help="Those that are open, done, failed, waiting, ready, later, processing, blocked or 'left out'."
    ),
    click.option("--key", metavar="KEY", help="The item with this key; with a * at its end, those that begin so."),
    click.option("--flagged", is_flag=True, help="Those with a flag that nobody has resolved."),
)
_YES = click.option("--yes", is_flag=True, help="Do not ask, however many items there are.")


def filters(verb: Verb) -> Verb:
    """Give a verb the options that choose items."""
    for option in reversed(_FILTERS):
        verb = option(verb)
    return verb


def filters_and_yes(verb: Verb) -> Verb:
    """Give a verb the options that choose items, and one that answers its question."""
    return filters(_YES(verb))


def parts(target: str) -> tuple[str, str | None]:
    """The pipeline and the key of `PIPELINE/KEY`; a key may hold a slash. The key is None if there is none."""
    pipeline, slash, key = target.partition("/")
    return pipeline, key if slash else None


def item_named(target: str) -> tuple[str, str]:
    """The pipeline and the key of an item.

    Raises:
        BadSetting: there is no key.
    """
    pipeline, key = parts(target)
    if not pipeline or not key:
        raise BadSetting("the item", target, "give PIPELINE/KEY")
    return pipeline, key


def chosen(
    assembly: Assembly, target: str, given: dict[str, Any], yes: bool, *, what: str, unless: Sequence[str] = ()
) -> Chosen:
    """The items that are meant; of several it is told how many they are, and asked.

    `given` are the options of `filters`. `what` says what is to be done with them. Without any option, all items that
    have a step in one of the states `unless` are meant.

    Raises:
        BadSetting: no items are named, or an item and options, or there is no such item.
        Abort: the answer is no.
    """
    pipeline, key = parts(target)
    wanted = Wanted(pipeline, **given)
    if key is not None:
        if not wanted.is_whole:
            raise BadSetting(
                "the item", target, "give an item, or options that choose items such as --state, and not both"
            )
        return operations.by_key(assembly.state, pipeline, item_named(target)[1])
    asked_for = [wanted]
    if unless and wanted.state is None and wanted.status is None:
        asked_for = with_states(assembly, wanted, unless)
    elif wanted.is_whole:
        raise BadSetting("the items", target, ALL)
    elif wanted.has_lone_step:
        raise BadSetting("--step", wanted.step, "give --state or --status with it: all items have the step")
    found = operations.by_filter(assembly.state, *asked_for)
    _ask(found, yes, what)
    return found


def check_step(assembly: Assembly, target: str, step: str) -> None:
    """Refuse a step that the pipeline of an item does not have.

    Raises:
        BadSetting: there is no such pipeline or step.
    """
    with assembly.state.read() as connection:
        adding.check_step(adding.plan_of(connection, parts(target)[0]), step)


def with_states(assembly: Assembly, wanted: Wanted, states: Sequence[str]) -> list[Wanted]:
    """The same items, if a step of theirs is in one of these states."""
    with assembly.state.read() as connection:
        plan = adding.plan_of(connection, wanted.pipeline)
    steps = [step.name for step in plan.steps] if wanted.step is None else [wanted.step]
    return [replace(wanted, step=step, state=state) for step in steps for state in states]


def _ask(found: Chosen, yes: bool, what: str) -> None:
    if not found.ids or yes:
        return
    number = _items(len(found.ids), found.pipeline)
    if not sys.stdin.isatty():
        raise BadSetting("--yes", None, f"{number} would be {what}: give --yes if that is right")
    click.confirm(f"{number} would be {what}. Go on?", abort=True, err=True)


def told(number: int, found: Chosen, what: str) -> str:
    """What was done, in a sentence."""
    if found.wanted:
        return f"{_items(number, found.pipeline)} {'is' if number == 1 else 'are'} {what}"
    return f"{found.pipeline}/{found.said} is {what}" if number else f"{found.pipeline}/{found.said} stays as it is"


def _items(number: int, pipeline: str) -> str:
    return f"{number:,} item{'' if number == 1 else 's'} of {pipeline}"


def pipeline_here(assembly: Assembly, name: str) -> Pipeline | None:
    """A pipeline of run.py or the jobs file; None if it has none of this name."""
    return pipelines_of(assembly.scheduler.jobs).get(name)


def require_pipeline(assembly: Assembly, name: str) -> Pipeline:
    """A pipeline of run.py or the jobs file.

    Raises:
        BadSetting: there is none of this name.
    """
    found = pipeline_here(assembly, name)
    if found is None:
        names = sorted(pipelines_of(assembly.scheduler.jobs))
        known = f"their pipelines are {listed_near(name, names)}" if names else "they have none"
        raise BadSetting("PIPELINE", name, f"run.py and the jobs file have no such pipeline; {known}")
    return found
