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
        # Behind what is no JSON, the next line that begins an object goes on.
        ('{"a": \n{"b": 2}\n{"c": 3}', ['{"a":', '{"b": 2}', '{"c": 3}']),
        ('hello\n{"b": 2}', ["hello", '{"b": 2}']),
        ('{"a": 1},\n{"b": 2},\n', ['{"a": 1}', '{"b": 2}']),
        ('{"a": 1} trailing\n{"b": 2}', ['{"a": 1}', "trailing", '{"b": 2}']),
        (
            '{\n  "a": [\n    {"b": 1},\n  x]\n}\n{\n  "c": 2\n}',
            ['{\n  "a": [\n    {"b": 1},\n  x]\n}', '{\n  "c": 2\n}'],
        ),
        ('\ufeff{"a": 1}\n{"b": 2}', ['{"a": 1}', '{"b": 2}']),
        # A list of objects.
        ('[{"a": 1}, {"b": "\\ud800"}, 7]', ['{"a": 1}', '{"b": "\\ud800"}', "7"]),
        ('[\n  {"a": 1},\n  {"b": 2}\n]\n', ['{"a": 1}', '{"b": 2}']),
        ("[]", []),
        ('[{"a": 1}, {"b"]', ['[{"a": 1}, {"b"]']),
    ],
)
def test_each_value_is_a_message(content: str, found: list[str]) -> None:
    assert [one.body.decode() for one in messages(io.BytesIO(content.encode()))] == found


@pytest.mark.parametrize(
    ("content", "lines"),
    [('\n{"a": 1}\n\nnonsense\n{"b": 2}', [2, 4, 5]), ('\n{\n"a": 1}\n\nnonsense\n{"b":\n 2}\n{"c": 3}', [2, 5, 6, 8])],
)
def test_each_is_told_with_its_line(content: str, lines: list[int]) -> None:
    assert [one.line for one in messages(io.BytesIO(content.encode()))] == lines


def test_each_line_is_a_message_if_it_is_known_to_be() -> None:
    assert list(messages(io.BytesIO(b'{\n{"a": 1}\n\n'), is_lines=True)) == [(1, b"{"), (2, b'{"a": 1}')]


def test_bytes_that_are_no_text_stay_as_they_are() -> None:
    assert list(messages(io.BytesIO(b'{\n"a": "\xff"}'))) == [(1, b'{\n"a": "\xff"}')]
    assert list(messages(io.BytesIO(b'\xff\xfe\n{"a": 1}\n'))) == [(1, b"\xff\xfe"), (2, b'{"a": 1}')]


def test_lines_are_read_as_they_come() -> None:
    # Given a pipe whose writer goes on. What must hold: what came is a message before the next line is there.
    class Pipe(io.BytesIO):
        read_lines = 0

        def __next__(self) -> bytes:
            self.read_lines += 1
            return super().__next__()

    pipe = Pipe(b'{"a": 1}\n{"b": 2}\n{"c": 3}\n')
    found = messages(pipe)
    assert next(found).body == b'{"a": 1}' and pipe.read_lines == 1
    assert next(found).body == b'{"b": 2}' and pipe.read_lines == 2
