"""The page of notices."""

from fastapi import Request
from fastapi.responses import Response

from janitor.web.injected import TheDesk, Viewer
from janitor.web.pages.page import page, page_router
from janitor.web.queries.notices import notice_list

router = page_router()


@router.get("/notices")
def notices(request: Request, desk: TheDesk, user: Viewer) -> Response:
    """What people were told, and what a channel did not take."""
    with desk.state.read() as connection:
        view = notice_list(connection)
    return page(request, desk, user, "notices.html", view=view)
