"""DATABASE_URL and the settings for Django."""

import pytest

from rollbook.db import url
from rollbook.db.url import MissingPackages, postgresql_settings


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
    "address",
    [
        "mysql://a:s3cret@b/c",
        "rollbook",
        "postgres://a:s3cret@b/c?no_such=1",
        "postgres://a:s3cret@[/c",
    ],
)
def test_an_error_does_not_show_the_password(address: str) -> None:
    with pytest.raises(ValueError, match="DATABASE_URL") as caught:
        postgresql_settings(address)
    assert "s3cret" not in str(caught.value)


def test_missing_packages_are_named_with_the_extra_that_has_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(url, "find_spec", {"psycopg": "installed"}.get)
    with pytest.raises(MissingPackages) as caught:
        postgresql_settings("postgres://rollbook:s3cret@127.0.0.1/school")
    assert str(caught.value) == (
        "DATABASE_URL needs packages that are not installed (psycopg_pool, procrastinate); "
        "run `pip install 'rollbook[postgresql]'`"
    )
