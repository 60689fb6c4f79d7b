"""DATABASE_URL and the settings for Django."""

import pytest

from rollbook.db.url import postgresql_settings


def test_all_options_of_libpq_are_accepted() -> None:
    settings = postgresql_settings(
        "postgres://rollbook:p%40ss@db.example:6432/school?sslmode=verify-full&connect_timeout=3"
    )
    assert {name: settings[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")} == {
        "USER": "rollbook",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": "6432",
        "NAME": "school",
    }
    assert settings["OPTIONS"] == {
        "connect_timeout": "3",
        "application_name": "rollbook",
        "sslmode": "verify-full",
    }


def test_a_socket_is_named_by_its_folder() -> None:
    settings = postgresql_settings("postgresql:///school?host=/run/postgresql")
    assert (settings["HOST"], settings["PORT"], settings["NAME"]) == (
        "/run/postgresql",
        "",
        "school",
    )


@pytest.mark.parametrize(
    "url",
    [
        "mysql://a:s3cret@b/c",
        "rollbook",
        "postgres://a:s3cret@b/c?no_such=1",
        "postgres://a:s3cret@[/c",
    ],
)
def test_an_error_does_not_show_the_password(url: str) -> None:
    with pytest.raises(ValueError, match="DATABASE_URL") as caught:
        postgresql_settings(url)
    assert "s3cret" not in str(caught.value)
