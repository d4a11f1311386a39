"""The desk: what every request is answered from, the daemon's clock and the runner with its state database."""

from fastapi import Request

from janitor.web.desk import Desk

__all__ = ["Desk", "desk"]


async def desk(request: Request) -> Desk:
    """The desk, as a dependency of request handlers: `Depends(desk)`."""
    found: Desk = request.app.state.desk
    return found
