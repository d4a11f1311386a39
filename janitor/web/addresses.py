"""The addresses of pages about pipelines and items."""

from typing import Any
from urllib.parse import quote, urlencode

DOTS = (".", "..")
"""What a browser takes out of a path, however it is written."""


def of_pipeline(pipeline: str, **query: Any) -> str:
    """The page of a pipeline, with its items for which the query holds; empty values of the query are left out."""
    given = {name: value for name, value in query.items() if value not in (None, "", False)}
    path = f"/pipelines/{quote(pipeline, safe='')}"
    return f"{path}?{urlencode(given)}" if given else path


def of_item(pipeline: str, key: str) -> str:
    """The page of an item. A slash in its key is written as %2F, so that no browser takes it for a part of the path."""
    if key in DOTS:
        return f"{of_pipeline(pipeline)}/item?{urlencode({'key': key})}"
    return f"{of_pipeline(pipeline)}/items/{quote(key, safe='')}"


def of_letters(pipeline: str) -> str:
    """The page of a pipeline's dead letters."""
    return f"{of_pipeline(pipeline)}/letters"
