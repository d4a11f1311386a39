"""A masked stream: lines go out without secrets, also if they are printed in pieces."""

from io import StringIO

import pytest

from janitor.logs.mask import Mask
from janitor.logs.masked_stream import MaskedStream
from janitor.logs.stand_in import MOST_GATHERED


@pytest.mark.parametrize("pieces", [["it has sesame\n"], ["it has ses", "ame", "\n"], ["it ", "has sesame", "\nand"]])
def test_a_line_goes_out_without_its_secrets(pieces: list[str]) -> None:
    stream = StringIO()
    masked = MaskedStream(Mask(["sesame"]), stream)
    assert [masked.write(piece) for piece in pieces] == [len(piece) for piece in pieces]
    assert stream.getvalue().startswith("it has ***\n")


def test_what_has_no_end_of_line_goes_out_when_it_is_asked_for() -> None:
    stream = StringIO()
    masked = MaskedStream(Mask(["sesame"]), stream)
    masked.write("sesame")
    assert stream.getvalue() == ""
    masked.flush()
    masked.write("x" * (MOST_GATHERED + 1))
    assert len(stream.getvalue()) == len("***") + MOST_GATHERED + 1


def test_a_stream_that_takes_nothing_fails_nobody() -> None:
    stream = StringIO()
    masked = MaskedStream(Mask(), stream)
    stream.close()
    masked.write("text\n")
