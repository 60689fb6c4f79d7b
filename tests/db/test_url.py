"""What DATABASE_URL may say."""

import pytest

from rollbook.db.url import postgresql


def test_everything_that_libpq_knows_may_stand_in_it() -> None:
    found = postgresql(
        "postgres://rollbook:p%40ss@db.example:6432/school?sslmode=verify-full&connect_timeout=3"
    )
    assert {name: found[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")} == {
        "USER": "rollbook",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": "6432",
        "NAME": "school",
    }
    assert found["OPTIONS"] == {
        "connect_timeout": "3",
        "application_name": "rollbook",
        "sslmode": "verify-full",
    }


def test_a_socket_is_named_by_its_folder() -> None:
    found = postgresql("postgresql:///school?host=/run/postgresql")
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("/run/postgresql", "", "school")


@pytest.mark.parametrize(
    "url",
    [
        "mysql://a:s3cret@b/c",
        "rollbook",
        "postgres://a:s3cret@b/c?no_such=1",
        "postgres://a:s3cret@[/c",
    ],
)
def test_anything_else_is_refused_without_telling_the_password(url: str) -> None:
    with pytest.raises(ValueError, match="DATABASE_URL") as told:
        postgresql(url)
    assert "s3cret" not in str(told.value)
