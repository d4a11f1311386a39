"""SQL statements that lie as `.sql` files beside the task that uses them."""

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
