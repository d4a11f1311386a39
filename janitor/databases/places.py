"""What a database URL says without its secrets, and names as servers take and tell them."""

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


def told(value: object) -> str:
    """What a server tells of its tables, as a text: MySQL's information_schema gives some values as bytes."""
    return value.decode() if isinstance(value, bytes) else str(value)
