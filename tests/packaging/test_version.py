"""The version: stated once."""

import re

import janitor
from tests.packaging.checkout import pyproject, read, shipped


def test_version_is_semantic_and_stated_once() -> None:
    stated = read(".release-version").strip()
    assert re.fullmatch(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?", stated)
    assert janitor.__version__ == stated
    assert pyproject()["project"]["dynamic"] == ["version"]
    assert pyproject()["tool"]["setuptools"]["dynamic"]["version"] == {"file": ".release-version"}
    assert [path.name for path in shipped() if stated in path.read_text(encoding="utf-8")] == []
