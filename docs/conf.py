"""The site's configuration, for Sphinx: `./docs.sh` builds it."""

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

project = "Janitor"
release = (ROOT / ".release-version").read_text(encoding="utf-8").strip()
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns: list[str] = []
show_warning_types = True
# A template of YAML, such as a jobs file, is no YAML: it is shown plainly.
suppress_warnings = ["misc.highlighting_failure"]

# Every link must lead somewhere, and so must every name of a public module. Other names cannot: nothing is fetched.
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r"(?!janitor\.\w+\.\w+$).*")]

# Anchors are those that GitHub makes, so that a link works in both places.
myst_heading_anchors = 3

default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"exclude-members": "model_config, model_post_init"}

html_theme = "furo"
html_title = f"Janitor {release}"
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False


def _signature(app: Any, what: str, name: str, value: object, *_: object) -> tuple[str, str] | None:
    """Leave out the signature of a class of settings: its fields are a page of their own."""
    return ("", "") if isinstance(value, type) and hasattr(value, "model_fields") else None


def _docstring(app: Any, what: str, name: str, value: object, options: object, lines: list[str]) -> None:
    """Leave out the first paragraph of a module: the page has it already."""
    if what == "module":
        del lines[: lines.index("") if "" in lines else len(lines)]


def setup(app: Any) -> None:
    """Tell Sphinx of the two functions above."""
    app.connect("autodoc-process-signature", _signature)
    app.connect("autodoc-process-docstring", _docstring)
