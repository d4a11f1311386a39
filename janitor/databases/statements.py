"""SQL statements: those that lie as `.sql` files beside the task that uses them, and what is asked around them."""

import functools
from importlib import resources

from sqlalchemy import TextClause, bindparam, text


@functools.lru_cache(maxsize=None)
def statement(package: str, name: str, *lists: str, which: str = "") -> TextClause:
    """The statement in the file `name` of `package`.

    `which` replaces `{which}` in it, where a query is asked in several ways. `lists` names the parameters that stand
    for lists, as in `IN :ids`.
    """
    body = resources.files(package).joinpath(name).read_text(encoding="utf-8")
    return text(body.replace("{which}", which)).bindparams(
        *(bindparam(parameter, expanding=True) for parameter in lists)
    )


@functools.lru_cache(maxsize=None)
def around(query: TextClause, what: str) -> TextClause:
    """`what` (columns or aggregates of `page`) of all rows of a query, as one statement with the query's parameters."""
    parameters = query._bindparams.values()
    return text(f"SELECT {what} FROM (\n{query.text}\n) AS page").bindparams(*parameters)
