"""The site: it is built without a warning, loads nothing from elsewhere, and a mistake in a page stops it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import ROOT

LOADED = re.compile(
    r"<(?:script|img|iframe|source|link|video|audio|embed|object)\b[^>]*?(?:src|href|data)=\"([^\"]*)\""
)


def build(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    """Build a site as docs.sh does."""
    strictly = ["--fail-on-warning", "--keep-going", "--nitpicky", "--quiet", "--fresh-env"]
    command = [
        sys.executable,
        "-m",
        "sphinx",
        *strictly,
        "-d",
        str(target / "trees"),
        str(source),
        str(target / "html"),
    ]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=150)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built once."""
    target = tmp_path_factory.mktemp("site")
    ended = build(ROOT / "docs", target)
    assert ended.returncode == 0, ended.stderr
    return target / "html"


def small(folder: Path, **pages: str) -> Path:
    """The sources of a small site with the project's own configuration."""
    folder.mkdir()
    (folder / "conf.py").write_text(
        (ROOT / "docs" / "conf.py")
        .read_text(encoding="utf-8")
        .replace("Path(__file__).parent.parent", f"Path({str(ROOT)!r})"),
        encoding="utf-8",
    )
    contents = "# A site\n\n[one](one.md) and [its end](one.md#the-end)\n\n```{toctree}\none\n```\n"
    for name, text in {"index": contents, "one": "# One\n\nText.\n\n## The end\n", **pages}.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.slow
def test_every_page_is_in_the_site(site: Path) -> None:
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    assert len(pages) > 15 and [page for page in pages if not (site / page).is_file()] == []


@pytest.mark.slow
def test_the_site_can_be_searched(site: Path) -> None:
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    # Words are cut to their stems.
    assert "reference/metrics" in index and "janitor_runs_tot" in index


@pytest.mark.slow
def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        loaded = LOADED.findall(path.read_text(encoding="utf-8"))
        assert loaded and [one for one in loaded if re.match(r"(?:\w+:)?//", one)] == [], path
    for path in site.rglob("*.css"):
        assert re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", path.read_text(encoding="utf-8")) == [], path


@pytest.mark.slow
def test_every_public_name_is_on_its_page(site: Path) -> None:
    found = (site / "reference" / "python_api.html").read_text(encoding="utf-8")
    for name in (
        "janitor.runs.Run.progress",
        "janitor.errors.Skip",
        "janitor.databases.begin",
        "janitor.memory.cursor",
    ):
        assert f'id="{name}"' in found, name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        ("# One\n\n[nowhere](two.md)\n\n## The end\n", "two.md"),
        ("# One\n\nText without the heading that is linked.\n", "the-end"),
        ("# One\n\n## The end\n\n```{eval-rst}\n:py:func:`janitor.runs.nothing`\n```\n", "janitor.runs.nothing"),
    ],
)
def test_a_dead_link_stops_it(tmp_path: Path, page: str, complaint: str) -> None:
    ended = build(small(tmp_path / "docs", one=page), tmp_path)
    assert ended.returncode == 1 and complaint in ended.stderr


@pytest.mark.slow
def test_a_page_in_no_contents_stops_it(tmp_path: Path) -> None:
    assert build(small(tmp_path / "docs"), tmp_path).returncode == 0
    shutil.rmtree(tmp_path / "docs")
    ended = build(small(tmp_path / "docs", lost="# Lost\n"), tmp_path)
    assert ended.returncode == 1 and "isn't included in any toctree" in ended.stderr
