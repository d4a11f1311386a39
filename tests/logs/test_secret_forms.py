"""The forms and the parts of a secret: what a text may show in its place."""

import reprlib
from typing import Any

import pytest
import yaml

from janitor.logs.mask import Mask

KEY = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----\n"


@pytest.mark.parametrize("secret", ["it's a 'word'", 'say "open"\\now', "ünder the stäirs", "two  blanks\tand tabs"])
@pytest.mark.parametrize("style", [None, "'", '"'])
def test_a_secret_in_yaml_is_masked(secret: str, style: Any) -> None:
    text = yaml.safe_dump({"word": secret}, default_style=style, allow_unicode=True, width=1000)
    for word in ("word", "open", "stäirs", "blanks"):
        assert word not in Mask([secret])(text).replace('"word"', "").replace("'word'", "").removeprefix("word")


def test_each_line_of_a_key_is_masked_by_itself() -> None:
    shown = Mask([KEY])("\n".join(f"    {line}" for line in KEY.splitlines()))
    assert "MIIE" not in shown and "hkiG" not in shown
    assert "MIIE" not in Mask([KEY])(" ".join(KEY.split()))


def test_the_texts_in_a_file_of_credentials_are_masked() -> None:
    mask = Mask(['{"type": "account", "private_key": "MIIEvQIBADAN", "ids": ["hunter2-hunter2"]}'])
    assert mask("key MIIEvQIBADAN of hunter2-hunter2") == "key *** of ***"


def test_the_parts_of_a_list_and_the_password_of_a_url_are_masked() -> None:
    assert Mask(["first-key,second-key"])("second-key") == "***"
    assert Mask(["redis://me:hunt%40er@host/0"])("hunt@er or hunt%40er") == "*** or ***"
    assert Mask(["https://hooks.example.org/services/T000/B000"])("POST /services/T000/B000") == "POST /***"


def test_what_only_looks_like_json_is_masked_as_it_is() -> None:
    assert Mask(["{not json}"])("a {not json}") == "a ***"
    assert Mask(["[" * 5000])("[" * 5000) == "***"


def test_of_a_long_secret_that_is_cut_only_some_characters_are_left() -> None:
    secret = "".join(chr(ord("a") + number * 7 % 26) + str(number) for number in range(120))
    mask = Mask([secret])
    for cut in (secret[:100], secret[-100:], reprlib.repr(secret), f"{secret[:48]}...{secret[-49:]}"):
        shown = mask(cut)
        assert not any(secret[at : at + 16] in shown for at in range(len(secret) - 15)), shown
    assert mask(secret) == "***" and mask("a1") == "a1"
