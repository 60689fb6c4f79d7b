"""Turn ``postgres://…`` into Django's settings.

The URL is parsed by libpq, so it may contain every option that libpq supports.
"""

from importlib.util import find_spec
from typing import Any

CONNECT_TIMEOUT_S = 10
_PACKAGES = ("psycopg", "psycopg_pool", "procrastinate")  # of the extra "postgresql"


class MissingPackages(ValueError):
    """The packages for PostgreSQL are not installed; the text says how to install them."""


def postgresql_settings(url: str) -> dict[str, Any]:
    """Return the database settings for the URL of a PostgreSQL database.

    Raises:
        MissingPackages: The packages for PostgreSQL are not installed.
        ValueError: The URL is invalid; the text doesn't contain the password.
    """
    if not url.startswith(("postgres://", "postgresql://")):
        raise ValueError("DATABASE_URL does not begin with postgres://")
    _require_packages()
    import psycopg.conninfo  # takes 13 MB, which SQLite doesn't need

    try:
        parameters = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise ValueError(
            "DATABASE_URL is not like postgres://user:password@host:5432/database; "
            "write %40 for an @ in the password, and so on"
        ) from None
    names = {
        "USER": "user",
        "PASSWORD": "password",
        "HOST": "host",
        "PORT": "port",
        "NAME": "dbname",
    }
    settings = {setting: str(parameters.pop(name, "") or "") for setting, name in names.items()}
    options = {"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "rollbook", **parameters}
    return {"ENGINE": "django.db.backends.postgresql", **settings, "OPTIONS": options}


def _require_packages() -> None:
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise MissingPackages(
            f"DATABASE_URL needs packages that are not installed ({', '.join(missing)}); "
            "run `pip install 'rollbook[postgresql]'`"
        )
