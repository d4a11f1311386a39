"""Objects that a jobs file describes: `use:` names a dataclass, and the other keys are its fields.

use: RabbitInbox              a class of janitor.items
use: package.module:Class     one's own
reading: {key_field: ETag}    a field that is a dataclass itself needs no `use`

A field that is annotated with Settings gets the settings: a file does not give it.
"""

import dataclasses
import difflib
import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass
from functools import partial
from typing import Any

from janitor import items
from janitor.errors import BadSetting, is_a, summary
from janitor.guard import foreign_code
from janitor.items.ends import Inbox, Reply, Store
from janitor.jobs_file.annotations import choices, expected, hints_of, taken
from janitor.jobs_file.functions import NAME, function_named
from janitor.jobs_file.keys import no_such_key
from janitor.jobs_file.mistakes import Mistake, Wrong, shown
from janitor.jobs_file.part import Part
from janitor.settings.settings import Settings

USE, OWN_NAME = "use", "name"


@dataclass(frozen=True)
class Role:
    """What an object is there for: its name in a sentence, the names in janitor.items of the house's classes for it.

    A class of one's own must have what `has` names.

    With `named`, the object's name is the key that it stands under.
    """

    what: str
    names: tuple[str, ...]
    has: tuple[str, ...]
    named: bool = False


def _ours(ending: str) -> tuple[str, ...]:
    return tuple(name for name in items.__all__ if name.endswith(ending))


INBOX = Role("an inbox", _ours("Inbox"), ("name", "requires", "receive"), named=True)
REPLY = Role("a reply", _ours("Reply"), ("name", "requires", "beat_seconds", "open"), named=True)
STORE = Role("a store", _ours("Store"), ("requires", "find", "put"))
STEP = Role("a step's function", ("Forward",), ("__call__",))
ROLES = (INBOX, REPLY, STORE, STEP)
PROTOCOLS: Mapping[type, Role] = {Inbox: INBOX, Reply: REPLY, Store: STORE}


def made(part: Part, role: Role, settings: Settings, name: str = "", use: str = "") -> tuple[Any, list[Mistake]]:
    """The object that a part describes, and all that is wrong with it; None if anything is.

    `name` is the key that it stands under; its field `name` has that by default. `use` is its class, if the file need
    not say that.
    """
    try:
        kind = class_named(use or part.values.get(USE), role)
    except Wrong as exc:
        return None, [part.mistake(USE, str(exc))]
    known = fields_of(kind)
    given = {OWN_NAME: name} if name and OWN_NAME in known else {}
    if role.named:
        known.pop(OWN_NAME)
    return _made(part, kind, known, settings, given, () if use else (USE,))


def class_named(use: Any, role: Role) -> type:
    """The class that `use` names.

    Raises:
        Wrong: it names none, or one that cannot do what is wanted.
    """
    known = ", ".join(role.names)
    help_text = f"give {f'{known}, or ' if known else ''}a class of your own as 'package.module:Class'"
    if use is None:
        raise Wrong(f"it is missing: {help_text}")
    if isinstance(use, str) and use in role.names:
        return _of_house(use)
    for other in ROLES:
        if isinstance(use, str) and use in other.names:
            raise Wrong(f"it is {use!r}, which is {other.what} and not {role.what}: {help_text}")
    if not isinstance(use, str) or not NAME.fullmatch(use):
        close = difflib.get_close_matches(str(use)[:100], role.names, 1)
        raise Wrong(f"it is {shown(use)}: {f'did you mean {close[0]!r}?' if close else help_text}")
    found: Any = function_named(use)
    if not inspect.isclass(found) or not dataclasses.is_dataclass(found):
        raise Wrong(f"it is {shown(use)}, which is no dataclass: {help_text}")
    lacking = [one for one in role.has if not _has(found, one)]
    if role.named and OWN_NAME not in fields_of(found):
        lacking = ["field name", *(one for one in lacking if one != OWN_NAME)]
    if lacking:
        raise Wrong(f"it is {shown(use)}, which is not {role.what}: it has no {', '.join(lacking)}")
    return found


def name_in_house(kind: type, role: Role) -> str | None:
    """The name by which `use` names a class of the house; None if it is none that has the role."""
    return kind.__name__ if kind.__name__ in role.names and _of_house(kind.__name__) is kind else None


def _of_house(name: str) -> type:
    # Only now it is imported: a file without pipelines pays for none of these.
    found: type = getattr(items, name)
    return found


def fields_of(kind: Any) -> dict[str, Field[Any]]:
    """The fields of a dataclass that a file may give, by name."""
    hints = hints_of(kind)
    return {field.name: field for field in dataclasses.fields(kind) if field.init and not _gets_settings(field, hints)}


def role_of(hint: Any) -> Role | None:
    """The role of the objects that an annotation wants; None if it wants no inbox, reply or store."""
    bases = [base for one in choices(hint) if isinstance(one, type) for base in one.__mro__]
    return next((PROTOCOLS[base] for base in bases if base in PROTOCOLS), None)


def dataclass_of(hint: Any) -> type | None:
    """The dataclass that an annotation wants; None if it wants none."""
    return next((one for one in choices(hint) if isinstance(one, type) and dataclasses.is_dataclass(one)), None)


def _made(
    part: Part,
    kind: type,
    known: Mapping[str, Field[Any]],
    settings: Settings,
    given: Mapping[str, Any],
    beside: Sequence[str] = (),
) -> tuple[Any, list[Mistake]]:
    """An object of a class; `known` are its fields that may be given, `beside` are further keys."""
    hints = hints_of(kind)
    made, mistakes = None, list(_keys_that_do_not_fit(part, [*beside, *known]))
    values, lacking = {**_settings_of(kind, hints, settings), **given}, False
    for key, field in known.items():
        hint = hints.get(key, Any)
        told: list[Mistake] = []
        if key in part.values:
            value, told = _value(part, key, hint, settings)
            values |= {} if told else {key: value}
        elif key not in given and not _has_default(field):
            told = [part.mistake(key, f"it is missing: give {expected(hint)}")]
        lacking = lacking or (bool(told) and not _has_default(field))
        mistakes += told
    if not lacking:
        made, told = _constructed(part, kind, known, values, is_whole=not mistakes)
        mistakes += told
    return (None if mistakes else made), mistakes


def _constructed(
    part: Part, kind: type, known: Mapping[str, Field[Any]], values: dict[str, Any], is_whole: bool
) -> tuple[Any, list[Mistake]]:
    """The object with these values. What its class refuses is left out in turn, so that each mistake is found.

    `is_whole` says that no value is left out yet: if one is, the class may refuse another for that.
    """
    mistakes: list[Mistake] = []
    while True:
        # A class may be anybody's, and check its values as it likes.
        with foreign_code(partial(_refused, part, known)) as making:
            return kind(**values), mistakes
        assert making.instead is not None
        name, mistake = making.instead
        if name in values or (is_whole and not mistakes):
            mistakes.append(mistake)
        if name not in values or name not in part.values or not _has_default(known[name]):
            return None, mistakes
        del values[name]


def _value(part: Part, key: str, hint: Any, settings: Settings) -> tuple[Any, list[Mistake]]:
    inner, role, kind = part.parts.get(key), role_of(hint), dataclass_of(hint)
    if inner is not None and role is not None:
        return made(inner, dataclasses.replace(role, named=False), settings)
    if inner is not None and kind is not None:
        return _made(inner, kind, fields_of(kind), settings, {})
    try:
        return taken(hint, part.values[key]), []
    except Wrong as exc:
        keys = f"it is {shown(part.values[key])}: give keys and values"
        return None, [part.mistake(key, str(exc) if role is None and kind is None else keys)]


def _keys_that_do_not_fit(part: Part, names: Sequence[str]) -> Iterator[Mistake]:
    for number, key in enumerate(key for key in part.values if key not in names):
        yield part.mistake(key, no_such_key(key, names, number))


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _refused(part: Part, known: Mapping[str, Field[Any]], error: BaseException) -> tuple[str, Mistake]:
    """What is told of values that a class does not take, and the field that it names; empty if it names none."""
    if is_a(error, BadSetting) and error.name in known:
        given = "it is missing" if error.value is None else f"it is {shown(error.value)}"
        return error.name, part.mistake(error.name, f"{given}: {error.expected}")
    said = str(error) if is_a(error, BadSetting) else summary(error)
    return "", part.mistake("", f"it cannot be made: {said[:300]}")


def _settings_of(kind: Any, hints: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    return {field.name: settings for field in dataclasses.fields(kind) if field.init and _gets_settings(field, hints)}


def _gets_settings(field: Field[Any], hints: Mapping[str, Any]) -> bool:
    return Settings in choices(hints.get(field.name, field.type))


def _has(kind: type, name: str) -> bool:
    """Whether objects of a class have something; every class itself can be called."""
    return any(name in vars(base) for base in kind.__mro__) or name in {one.name for one in dataclasses.fields(kind)}
