"""The lock: it names no registry and no patch of Python, and is made from this Pipfile."""

import os
import re
import shutil
import subprocess

import pytest

from deploy.lock import strip
from tests.command_line import ROOT
from tests.packaging.checkout import lock


def test_lock_names_no_registry() -> None:
    assert lock()["_meta"]["sources"] == []
    packages = [*lock()["default"].items(), *lock()["develop"].items()]
    assert [name for name, package in packages if "index" in package] == []
    assert [name for name, package in packages if not package["hashes"]] == []


def test_lock_pins_no_patch_of_python() -> None:
    assert lock()["_meta"]["requires"] == {}
    markers = [package.get("markers", "") for section in ("default", "develop") for package in lock()[section].values()]
    assert [marker for marker in markers if re.search(r"python_(full_)?version (==|<)", marker)] == []


def test_lock_is_of_this_pipfile() -> None:
    pipenv = shutil.which("pipenv", path=f"{ROOT / '.pipenv/bin'}:{os.environ['PATH']}")
    if pipenv is None:
        pytest.skip("there is no pipenv to ask")
    environment = os.environ | {"PIPENV_PIPFILE": str(ROOT / "Pipfile"), "PIPENV_DONT_LOAD_ENV": "1"}
    asked = subprocess.run([pipenv, "verify"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert asked.returncode == 0, asked.stdout + asked.stderr


def test_strip_keeps_hashes_and_markers() -> None:
    package = {"version": "==1.0", "hashes": ["sha256:00"], "markers": "python_version >= '3.11'", "extras": ["rsa"]}
    source = {"name": "somewhere", "url": "https://packages.example/simple", "verify_ssl": True}
    meta = {"hash": {"sha256": "ab"}, "sources": [source]}
    made = strip({"_meta": meta, "default": {"a": {**package, "index": "somewhere"}}, "develop": {"b": package}})
    assert made == {"_meta": {**meta, "sources": []}, "default": {"a": package}, "develop": {"b": package}}
