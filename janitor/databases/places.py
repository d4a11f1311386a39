"""What a database URL says: which family of server, and where, without secrets."""

from sqlalchemy import URL


def family(url: URL) -> str:
    """`mysql` for MySQL and MariaDB, `sqlite` for SQLite."""
    return "sqlite" if url.get_backend_name() == "sqlite" else "mysql"


def place(url: URL) -> str:
    """Where a URL leads, without its secrets: `host:port/name`, or the path of a file."""
    if family(url) == "sqlite":
        return url.database or "memory"
    return f"{url.host}:{url.port or 3306}/{url.database}"


def quoted(name: str, family: str) -> str:
    """A name as part of a statement."""
    mark = '"' if family == "sqlite" else "`"
    return mark + name.replace(mark, mark * 2) + mark
