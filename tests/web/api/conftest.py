"""Daemons with small jobs, whose API is asked."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import URL

from tests.daemons import daemons
from tests.small_engine import eventually
from tests.web.api.served import TOKEN, VIEWER, Api, address_of


@pytest.fixture(scope="package")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    folder = tmp_path_factory.mktemp("api")
    state = URL.create("sqlite", database=str(folder / "state.db"))
    with daemons("tests.small_house", folder, WEB_ENABLED="true", WEB_PORT="0") as begin:
        yield lambda name, **more: address_of(begin(state.set(database=str(folder / f"{name}.db")), name, **more))


@pytest.fixture(scope="package")
def api(start: Callable[..., str]) -> Api:
    api = Api(start("guarded", WEB_OPERATOR_TOKEN=TOKEN, WEB_VIEWER_TOKEN=VIEWER))
    eventually(
        lambda: (found := api("/runs"))[0] == 200 and [run["outcome"] for run in found[1]["runs"]] == ["succeeded"] * 2
    )
    return api
