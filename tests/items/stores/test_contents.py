"""What stores keep: packed results that are never unpacked beyond a limit, and tags as S3 takes them."""

import gzip
import random
import tracemalloc

import pytest

from janitor.errors import Rejected
from janitor.items.stores.contents import most_packed, packed, tags_from, unpacked


def test_a_packed_result_comes_back_the_same() -> None:
    content = bytes(range(256)) * 40
    assert packed(content)[4:8] == bytes(4), "no moment is in it: the same content is always the same bytes"
    assert unpacked(packed(content), len(content), "x") == content
    assert len(packed(content)) <= most_packed(len(content))


def test_what_cannot_be_packed_fits_too() -> None:

    for size in (0, 1, 24, 1_000, 70_000):
        noise = random.Random(7).randbytes(size)
        assert len(packed(noise)) <= most_packed(size) and unpacked(packed(noise), size, "x") == noise


def test_no_more_than_the_limit_is_unpacked() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    tracemalloc.start()
    assert len(bomb) < 60_000 and unpacked(bomb, 999, "x") is None
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1_000_000
    assert unpacked(packed(b"x" * 999), 999, "x") == b"x" * 999 and unpacked(packed(b"x" * 1000), 999, "x") is None


@pytest.mark.parametrize(
    ("content", "says"),
    [(packed(b"x" * 500)[:-9], "is not whole"), (b"no gzip", "is not packed by gzip"), (b"", "is not whole")],
)
def test_a_damaged_result_is_told(content: bytes, says: str) -> None:
    with pytest.raises(Rejected, match=f"^s3://results/K7 {says}.*delete it, and compute it again$"):
        unpacked(content, 1_000, "s3://results/K7")


def test_tags_come_from_arguments() -> None:
    args = {"body": {"experimentId": "E5"}, "n": 7, "is": True, "nothing": None}
    wanted = {"experiment": "body.experimentId", "n": "n", "is": "is", "no": "nothing", "gone": "a.b"}
    assert tags_from(wanted, args) == {"experiment": "E5", "n": "7", "is": "true"}
    assert tags_from(("n", "body.experimentId"), args) == {"n": "7", "body.experimentId": "E5"}


def test_a_tag_is_made_as_s3_takes_it() -> None:
    assert tags_from(("a",), {"a": "größe (1)\n? a+b-c=d.e_f:g/h@i"}) == {"a": "größe _1___ a+b-c=d.e_f:g/h@i"}
    assert tags_from(("a",), {"a": "x" * 300}) == {"a": "x" * 256}
