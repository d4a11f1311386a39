"""Texts that a template takes with `env()`, and what it makes of them: all of it is secret.

    env("KEY")                  the text itself
    env("KEY") | upper          a filter makes another text of it
    env("KEYS").split(",")[0]   so does a method, and so does a part

A text that holds the whole secret need not be told: the mask finds the secret in it.
"""

import functools
from collections.abc import Callable
from typing import Any

MAKING = (
    "capitalize casefold center expandtabs ljust lower lstrip partition removeprefix removesuffix replace rjust "
    "rpartition rsplit rstrip split splitlines strip swapcase title translate upper zfill __getitem__"
).split()
"""The methods of a text that make another text, or several."""

Note = Callable[[str], None]


class Taken(str):
    """A text from the environment. What is made of it is one too, and is told to `note`."""

    note: Note

    def __new__(cls, value: str, note: Note) -> "Taken":
        self = super().__new__(cls, value)
        self.note = note
        return self

    def __str__(self) -> str:
        """Itself: a plain text would forget where it comes from."""
        return self

    def noted(self, made: Any) -> Any:
        """What was made of this text, after it was told."""
        if isinstance(made, (list, tuple)):
            return type(made)(map(self.noted, made))
        if isinstance(made, str):
            if str.__contains__(self, made) or not str.__contains__(made, self):
                self.note(str.__str__(made))
            return made if hasattr(made, "__html__") else Taken(made, self.note)
        if isinstance(made, (int, float)) and not isinstance(made, bool):
            self.note(str(made))
        return made


def _making(name: str) -> Callable[..., Any]:
    of_texts = getattr(str, name)

    @functools.wraps(of_texts)
    def method(self: Taken, *args: Any, **kwargs: Any) -> Any:
        return self.noted(of_texts(self, *args, **kwargs))

    return method


for _name in MAKING:
    setattr(Taken, _name, _making(_name))


def noting(function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter of Jinja2 that tells what it makes of a taken text."""

    @functools.wraps(function)
    def filtered(*args: Any, **kwargs: Any) -> Any:
        made = function(*args, **kwargs)
        given = next((one for one in args if isinstance(one, Taken)), None)
        return made if given is None else given.noted(made)

    return filtered
