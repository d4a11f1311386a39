"""What FastAPI hands to the handlers of requests: the desk, and who asks."""

from typing import Annotated

from fastapi import Depends, Request

from janitor.web.access.gate import User
from janitor.web.access.permissions import changing, viewer
from janitor.web.desk import Desk


async def desk(request: Request) -> Desk:
    """The desk of the application that a request goes to."""
    found: Desk = request.app.state.desk
    return found


TheDesk = Annotated[Desk, Depends(desk)]
Viewer = Annotated[User, Depends(viewer)]
"""Anybody who may look."""
Operator = Annotated[User, Depends(changing)]
"""An operator who means the change."""
