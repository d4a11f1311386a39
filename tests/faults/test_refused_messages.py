"""The broker refuses some messages under a daemon and a writer: the others go out, and nothing is lost."""

import pytest

from tests.faults.conftest import MakeHouse
from tests.faults.fault import begin, go_through
from tests.faults.refused_messages import refused_messages
from tests.servers import Broker, SqlServer


@pytest.mark.whole_form
@pytest.mark.timeout(600)
def test_refused_messages_hold_up_no_other(make_house: MakeHouse, mariadb: SqlServer, rabbitmq: Broker) -> None:
    """Given: a daemon, a writer, and a consumer.

    Happens: some messages are too large for the broker; then a second queue beside the consumer's is full.
    Must hold: what is too large waits in quarantine with the broker's words. What was confirmed is never sent again,
    and what the full queue refused is sent twice before a long pause. After a retry, nothing is lost.
    """
    house = make_house()
    begin(house, mariadb)
    go_through(house, refused_messages(house, rabbitmq), "messages")
