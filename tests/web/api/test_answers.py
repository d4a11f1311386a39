"""What the API answers if there is no such thing."""

import pytest
from fastapi import HTTPException

from janitor.web.api.answers import errors, found


def test_what_is_not_there_is_a_404_with_a_sentence() -> None:
    with pytest.raises(HTTPException) as caught:
        found(None, "run 77")
    assert (caught.value.status_code, caught.value.detail) == (404, "there is no run 77")
    assert found(0, "run 77") == 0


def test_every_route_may_refuse_or_be_away() -> None:
    assert list(errors(404)) == [401, 403, 404, 422, 503] and list(errors()) == [401, 403, 422, 503]
    assert errors(404)[404]["description"] == "There is no such thing."
