"""Rollbook's settings with a data folder, and on PostgreSQL a server, of this test run alone."""

import atexit
import os
import shutil
import tempfile
from typing import Any

_FOLDER = tempfile.mkdtemp(prefix="rollbook-tests-")
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
os.environ["ROLLBOOK_DATA"] = _FOLDER

# Where the processes that tests start keep their bytecode during this run; see conftest.py.
BYTECODE = "TESTS_BYTECODE"
os.environ.setdefault(BYTECODE, f"{_FOLDER}/bytecode")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A folder that all processes of this run use; pytest-xdist's workers find it here.
SHARED = "TESTS_SHARED"
OWNS_SHARED = SHARED not in os.environ
os.environ.setdefault(SHARED, _FOLDER)

# pytest-xdist starts its workers after DATABASE_URL was removed; they find the address here.
FOR_OUR_OWN = "TESTS_DATABASE_URL"
if os.environ.get("DATABASE_URL"):
    os.environ[FOR_OUR_OWN] = os.environ["DATABASE_URL"]
elif FOR_OUR_OWN in os.environ:
    os.environ["DATABASE_URL"] = os.environ[FOR_OUR_OWN]

from rollbook.settings import *  # noqa: E402, F403
from rollbook.settings import DATA, DATABASES, ON_POSTGRESQL  # noqa: E402

# A process that a test starts must not find the database of the run; see installations.py.
for _name in ("DATABASE_URL", "DATABASE_URL_FILE"):
    os.environ.pop(_name, None)

_default: dict[str, Any] = DATABASES["default"]
_options = _default.setdefault("OPTIONS", {})
DURABLE = str(_options.get("init_command", ""))
"""How the product opens an SQLite database."""

if not ON_POSTGRESQL:
    # A file and not memory: locks, WAL and the turnstile are part of what is tested.
    _default["TEST"] = {"NAME": DATA / "test.sqlite3"}
    # Only a power failure could lose commits then; processes that tests start don't use this.
    _options["init_command"] = DURABLE.replace("synchronous=FULL", "synchronous=OFF")
