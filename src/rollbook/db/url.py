"""``postgres://…`` into Django's settings; libpq itself reads the address, so all that it knows may stand in it."""

from typing import Any

CONNECT_SECONDS = 10


def postgresql(url: str) -> dict[str, Any]:
    """Raises ValueError, without the password that may stand in it, for what is no address of a PostgreSQL."""
    if not url.startswith(("postgres://", "postgresql://")):
        raise ValueError("DATABASE_URL does not begin with postgres://")
    import psycopg.conninfo  # 13 MB in each process, which SQLite does not need

    try:
        said = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise ValueError(
            "DATABASE_URL is not like postgres://user:password@host:5432/database; "
            "write %40 for an @ in the password, and so on"
        ) from None
    known = {
        "USER": "user",
        "PASSWORD": "password",
        "HOST": "host",
        "PORT": "port",
        "NAME": "dbname",
    }
    return {
        "ENGINE": "django.db.backends.postgresql",
        **{setting: str(said.pop(name, "") or "") for setting, name in known.items()},
        "OPTIONS": {"connect_timeout": CONNECT_SECONDS, "application_name": "rollbook", **said},
    }
