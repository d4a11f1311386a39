"""A message that can be no item, as its inbox knows: whoever takes it makes a dead letter of it."""

from dataclasses import dataclass

from janitor.items.ends import Message


@dataclass(frozen=True)
class Refused(Message):
    """A message that is to be a dead letter; `refused` is the reason."""

    refused: str = ""
