"""Payload files: which values are found in them."""

import io

import pytest

from janitor.verbs.payloads import messages


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("", []),
        (" \n\t\n", []),
        ('{"a": 1}', ['{"a": 1}']),
        ('{"a": 1}\n{"b": 2}\n', ['{"a": 1}', '{"b": 2}']),
        ('\n{"a": 1}\r\n\r\n{"b": 2}', ['{"a": 1}', '{"b": 2}']),
        ('{"a": 1}\nnonsense\n{"b": 2}', ['{"a": 1}', "nonsense", '{"b": 2}']),
        ('{\n"a": 1}\n{"b":\n2}', ['{\n"a": 1}', '{"b":\n2}']),
        ('{"a": 1} {"b": 2}', ['{"a": 1}', '{"b": 2}']),
        ('{\n"a": 1}{"b": {', ['{\n"a": 1}', '{"b": {']),
        ("nonsense", ["nonsense"]),
        ("[" * 100_000, ["[" * 100_000]),
    ],
)
def test_each_value_is_a_message(content: str, found: list[str]) -> None:
    assert [body.decode() for body in messages(io.BytesIO(content.encode()))] == found


def test_each_line_is_a_message_if_it_is_known_to_be() -> None:
    assert list(messages(io.BytesIO(b'{\n{"a": 1}\n\n'), is_lines=True)) == [b"{", b'{"a": 1}']


def test_bytes_that_are_no_text_stay_as_they_are() -> None:
    assert list(messages(io.BytesIO(b'{\n"a": "\xff"}'))) == [b'{\n"a": "\xff"}']
    assert list(messages(io.BytesIO(b'\xff\xfe\n{"a": 1}\n'))) == [b'\xff\xfe\n{"a": 1}']


def test_lines_are_read_as_they_come() -> None:
    # Given a pipe whose writer goes on. What must hold: what came is a message before the next line is there.
    class Pipe(io.BytesIO):
        read_lines = 0

        def __next__(self) -> bytes:
            self.read_lines += 1
            return super().__next__()

    pipe = Pipe(b'{"a": 1}\n{"b": 2}\n{"c": 3}\n')
    found = messages(pipe)
    assert next(found) == b'{"a": 1}' and pipe.read_lines == 1
    assert next(found) == b'{"b": 2}' and pipe.read_lines == 2
