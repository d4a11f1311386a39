"""Fixtures of the tests of items: servers at their ends, started at the first use."""

from collections.abc import Iterator

import pytest

from tests.servers import running
from tests.servers.aws import Aws


@pytest.fixture(scope="session")
def aws_session() -> Iterator[Aws]:
    """A server that speaks as AWS does, while the suite runs."""
    with running(Aws()) as server:
        yield server


@pytest.fixture
def aws(aws_session: Aws) -> Iterator[Aws]:
    """A server that speaks as AWS does. A test may stop or kill it: it runs again for the next test, and is empty."""
    yield aws_session
    aws_session.start()
