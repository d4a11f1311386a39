"""What stands in for a stream: it gathers what is printed until a line ends, or until somebody asks for it."""

from io import StringIO

from janitor.logs.stand_in import MOST_GATHERED, Gathering


class Noted(Gathering):
    """Notes what it gives on."""

    def __init__(self) -> None:
        super().__init__(StringIO())
        self.given: list[str] = []

    def give(self, text: str) -> None:
        self.given.append(text)


def test_a_line_is_given_on_as_it_ends() -> None:
    noted = Noted()
    assert [noted.write(text) for text in ("one", " line\n", "two\nlines\nand", " more")] == [3, 6, 13, 5]
    assert noted.given == ["one line\n", "two\nlines\nand"]
    noted.flush()
    noted.flush()
    assert noted.given[2:] == [" more"]


def test_a_line_without_an_end_is_given_on_in_pieces() -> None:
    noted = Noted()
    noted.write("x" * MOST_GATHERED)
    assert noted.given == []
    noted.write("y")
    assert noted.given == ["x" * MOST_GATHERED + "y"]


def test_a_closed_stream_changes_nothing() -> None:
    noted = Noted()
    noted._stream.close()
    noted.write("text\n")
    assert noted.given == ["text\n"]
