"""What runs were given and returned: no more than a person reads, and no secret."""

import json
from datetime import date
from decimal import Decimal

from janitor.jobs.result_texts import encode
from janitor.logs.mask import Mask
from janitor.web.queries.given import MOST, arguments, beginning, json_text, whole

SECRET = "s3cret-of-the-inbox"
MASK = Mask([SECRET])


def test_a_long_value_is_cut_and_says_so() -> None:
    assert json_text({"a": [1]}) == '{\n  "a": [\n    1\n  ]\n}'
    assert json_text(date(2026, 1, 2)) == '"2026-01-02"'
    long = list(range(MOST))
    assert json_text(long) == f"{json.dumps(long, indent=2)[:MOST]} …"


def test_a_result_is_shown_from_its_beginning() -> None:
    assert beginning(encode({"day": date(2026, 1, 2)}), MASK) == ('{\n  "day": "2026-01-02"\n}', False)
    large = [{"number": number} for number in range(50_000)]
    text, more = beginning(encode(large), MASK)
    assert more and len(text) == MOST and json.dumps(large, indent=2).startswith(text)


def test_a_secret_across_the_cut_is_not_half_shown() -> None:
    for before in range(MOST - 30, MOST + 5):
        text, _ = beginning(encode(["x" * before, SECRET]), MASK)
        assert SECRET[:3] not in text


def test_a_result_that_masks_make_shorter_is_not_whole() -> None:
    text, more = beginning(encode([SECRET] * 600 + list(range(3_000))), MASK)
    assert more and len(text) < MOST and "2999" not in text and text.count("***") == 600


def test_the_whole_result_is_json_without_secrets() -> None:
    result = {f"key {SECRET}": [SECRET, 1, None, True, Decimal("1.10"), date(2026, 1, 2)]}
    assert whole(encode(result), MASK) == {"key ***": ["***", 1, None, True, "1.10", "2026-01-02"]}


def test_an_argument_that_is_a_result_leads_to_its_run() -> None:
    config = {"args": ["<b>", "!result crawl"], "kwargs": {"more": ["!result gone", "!result crawl"]}}
    first, second, more = arguments(config, {"crawl": 7})
    link = '<a href="/runs/7">result of run 7 of crawl</a>'
    assert first == ("argument 1", "&#34;&lt;b&gt;&#34;") and second == ("argument 2", link)
    assert more == ("more", f"[\n  &#34;!result gone&#34;,\n  {link}\n]")
    assert arguments(None, {}) == []
