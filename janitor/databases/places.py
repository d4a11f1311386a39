"""What a database URL says without its secrets: the family of the server, and where it is."""

from sqlalchemy import URL

from janitor.settings.paths import shown


def family(url: URL) -> str:
    """`mysql` for MySQL and MariaDB, `sqlite` for SQLite."""
    return "sqlite" if url.get_backend_name() == "sqlite" else "mysql"


def place(url: URL) -> str:
    """`host:port/name` for a server, the path for a file; never a user or a password."""
    if family(url) == "sqlite":
        return shown(url.database) if url.database else "memory"
    return f"{url.host}:{url.port or 3306}/{url.database}"


def quoted(name: str, family: str) -> str:
    """A table's or column's name, quoted for a statement."""
    mark = '"' if family == "sqlite" else "`"
    return mark + name.replace(mark, mark * 2) + mark
