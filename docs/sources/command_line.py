"""The verbs with their options and arguments, and the exit codes."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import click

from docs.marked import code, sections, table
from janitor.cli import verbs as every_verb
from janitor.terminal import exit_codes


def verbs(old: str) -> str:
    """A section for each verb, in the order of the command line; arguments keep the words on the page."""
    kept = sections(old)
    found = [_section("every verb", every_verb, kept, of_group=True)]
    found += [_section(name, verb, kept) for name, verb in _walk(every_verb)]
    return "\n\n".join(found)


def names() -> list[str]:
    """Each verb, as it is typed."""
    return [name for name, _ in _walk(every_verb)]


def codes(old: str) -> str:
    """What each exit code tells."""
    found = {name: code for name, code in vars(exit_codes).items() if name.isupper() and isinstance(code, int)}
    rows = [(str(number), name.lower().replace("_", " ")) for name, number in sorted(found.items(), key=_number)]
    return table(("code", "name", "meaning"), rows, old)


def _number(found: tuple[str, int]) -> int:
    return found[1]


def _walk(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, verb in group.commands.items():
        yield f"{before}{name}", verb
        if isinstance(verb, click.Group):
            yield from _walk(verb, f"{before}{name} ")


def _section(name: str, verb: click.Command, kept: Mapping[str, str], of_group: bool = False) -> str:
    context = click.Context(verb)
    rows = [_row(parameter, context) for parameter in verb.get_params(context) if _is_told(parameter)]
    pieces = [piece for piece in verb.collect_usage_pieces(context) if rows or piece != "[OPTIONS]"]
    typed = ["python run.py", *([] if of_group else [name]), *pieces]
    usage = "    " + " ".join(typed).replace("[COMMAND] [ARGS]...", "[VERB]")
    text = f"### {name}\n\n{inspect.cleandoc(verb.help or '')}\n\n{usage}"
    return f"{text}\n\n" + table(("argument or option", "meaning"), rows, kept.get(name, "")) if rows else text


def _is_told(parameter: click.Parameter) -> bool:
    """Whether a parameter has a row: not `--help`, and not an option of the program that a verb takes too."""
    return "--help" not in parameter.opts and not getattr(parameter, "hidden", False)


def _row(parameter: click.Parameter, context: click.Context) -> tuple[str, ...]:
    if not isinstance(parameter, click.Option):
        shown = parameter.make_metavar(context)
        return (code(shown[1:-1] if shown.startswith("[") and shown.endswith("]") else shown),)
    shown = ", ".join(parameter.opts)
    value = "" if parameter.is_flag else f" {parameter.make_metavar(context).removesuffix(' RANGE')}"
    return code(f"{shown}{value}"), f"{parameter.help or ''}{_notes(parameter)}"


def _notes(option: click.Option) -> str:
    notes = ["may be given several times"] if option.multiple else []
    default: Any = option.default
    if option.show_default and not option.is_flag:
        notes.append(f"default {default}")
    return f" ({', '.join(notes)})" if notes else ""
