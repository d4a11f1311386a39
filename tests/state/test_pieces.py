"""Long lists in pieces: in order, whole, and small where each statement is kept."""

import pytest

from janitor.state import State
from janitor.state.pieces import OF_A_FILE, OF_A_SERVER, in_pieces


@pytest.mark.parametrize("length", [0, 1, OF_A_FILE, OF_A_FILE + 1, 2 * OF_A_SERVER + 3])
def test_pieces_are_the_list_in_its_order(state: State, length: int) -> None:
    values = list(map(str, range(length)))
    most = OF_A_FILE if state.url.get_backend_name() == "sqlite" else OF_A_SERVER
    with state.read() as connection:
        pieces = list(in_pieces(connection, values))
    assert [value for piece in pieces for value in piece] == values
    assert [len(piece) for piece in pieces] == [most] * (length // most) + [length % most] * (length % most > 0)
