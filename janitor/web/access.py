"""Who may do what: users, tokens and sessions, and the proof that a change is meant."""

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request

Role = Literal["viewer", "operator"]
CSRF_FIELD, CSRF_HEADER = "csrf_token", "X-CSRF-Token"

router = APIRouter()


@dataclass(frozen=True)
class User:
    """Whoever makes a request; `name` is what the audit lines say."""

    name: str
    role: Role


async def viewer(request: Request) -> User:
    """Let in whoever may look, as a dependency: `Depends(viewer)`."""
    return User("local", "operator")


async def operator(user: Annotated[User, Depends(viewer)]) -> User:
    """Let in whoever may change things."""
    return user


async def changing(request: Request, user: Annotated[User, Depends(operator)]) -> User:
    """Let in an operator who means it, for every request that changes something.

    The request shows the session's token, in the form field `csrf_token` or the header `X-CSRF-Token`; requests with
    a bearer token need none.
    """
    return user


def csrf_token(request: Request) -> str:
    """The token of this request's session, for a hidden field `csrf_token` in each form that changes something."""
    return ""
