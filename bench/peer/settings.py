"""The settings of the peer project: SQLite as durable as Rollbook's, or PostgreSQL."""

import os
from urllib.parse import parse_qsl, urlsplit

_ADDRESS = os.environ["BENCH_PEER_DATABASE"]
_URL = urlsplit(_ADDRESS)
_QUERY = dict(parse_qsl(_URL.query))  # of a server behind a socket: its folder, as ``host``

SECRET_KEY = "of no use to anybody"
USE_TZ = True
INSTALLED_APPS = ["django.contrib.contenttypes", "import_export", "bench.peer.apps.Peer"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _URL.path.lstrip("/"),
        "USER": _URL.username,
        "PASSWORD": _URL.password,
        "HOST": _URL.hostname or _QUERY.get("host"),
        "PORT": _URL.port or _QUERY.get("port"),
    }
    if _URL.scheme.startswith("postgres")
    else {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": _ADDRESS,
        "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"},
    }
}
