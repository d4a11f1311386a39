"""What a database URL says without its secrets, and names in statements."""

import pytest
from sqlalchemy import make_url

from janitor.databases import family, place, quoted


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql+pymysql://me:s3cret@db.example.org:3307/lab?ssl_ca=x", ("mysql", "db.example.org:3307/lab")),
        ("mysql+pymysql://me:s3cret@db/lab", ("mysql", "db:3306/lab")),
        ("sqlite:////var/lib/lab.db?timeout=5", ("sqlite", "/var/lib/lab.db")),
        ("sqlite://", ("sqlite", "memory")),
    ],
)
def test_a_place_has_no_user_and_no_password(url: str, told: tuple[str, str]) -> None:
    assert (family(make_url(url)), place(make_url(url))) == told


def test_a_quoted_name_cannot_end_early() -> None:
    assert quoted('odd "`name', "mysql") == '`odd "``name`'
    assert quoted('odd "`name', "sqlite") == '"odd ""`name"'
