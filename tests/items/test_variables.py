"""Variables that options name: what they hold now, and what is masked."""

from pathlib import Path

import pytest

from janitor.errors import BadSetting
from janitor.items.variables import secret_of, text_of
from janitor.logs.mask import mask_for
from janitor.settings import Settings


def test_a_variable_is_read_whether_it_is_declared_or_not() -> None:
    settings = Settings.load({"REDIS_URL": "redis://h", "RESULTS_BUCKET": "results"}, dotenv=None)
    assert text_of(settings, "REDIS_URL", "") == "redis://h"
    assert text_of(settings, "RESULTS_BUCKET", "") == "results"


@pytest.mark.parametrize("name", ["REDIS_URL", "RESULTS_BUCKET"])
def test_a_missing_variable_is_told(name: str) -> None:
    with pytest.raises(BadSetting, match=f"^{name} is missing: give it$"):
        text_of(Settings.load({}, dotenv=None), name, "give it")


@pytest.mark.parametrize("name", ["REDIS_URL", "LAB_TOKEN"])
def test_a_file_is_read_again(name: str, tmp_path: Path) -> None:
    (tmp_path / "value").write_text("redis://monday\n")
    settings = Settings.load({f"{name}_FILE": str(tmp_path / "value")}, dotenv=None)
    assert secret_of(settings, name, "") == "redis://monday"
    (tmp_path / "value").write_text("redis://tuesday\n")
    assert secret_of(settings, name, "") == "redis://tuesday"


def test_a_secret_is_masked_and_a_name_is_not() -> None:
    settings = Settings.load({"LAB_HEADER": "word-of-monday", "RESULTS_BUCKET": "results-of-lab"}, dotenv=None)
    mask = mask_for(settings)
    text_of(settings, "RESULTS_BUCKET", "")
    secret_of(settings, "LAB_HEADER", "")
    assert mask("word-of-monday in results-of-lab") == "*** in results-of-lab"
