"""SQL statements that stand in `.sql` files beside their task, and new statements around them."""

import functools
from importlib import resources

from sqlalchemy import BindParameter, TextClause, bindparam, text
from sqlalchemy.sql import visitors


@functools.lru_cache(maxsize=None)
def statement(package: str, name: str, *lists: str, which: str = "") -> TextClause:
    """The statement in the file `name` of `package`; each file is read once.

    `lists` names the parameters that are lists, as in `IN :ids`. `which` replaces `{which}` in the file, if the task
    asks the same query for different rows.

    Raises:
        FileNotFoundError: the package has no such file.
    """
    body = resources.files(package).joinpath(name).read_text(encoding="utf-8")
    return text(body.replace("{which}", which)).bindparams(
        *(bindparam(parameter, expanding=True) for parameter in lists)
    )


@functools.lru_cache(maxsize=None)
def select_from(query: TextClause, what: str) -> TextClause:
    """`SELECT what FROM (query) AS page`, with the parameters of `query`; `what` is columns or aggregates."""
    parameters = [each for each in visitors.iterate(query) if isinstance(each, BindParameter)]
    return text(f"SELECT {what} FROM (\n{query.text}\n) AS page").bindparams(*parameters)
