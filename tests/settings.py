"""The product's settings over a data folder, and on PostgreSQL a server, that are made for this test run alone."""

import atexit
import os
import shutil
import tempfile

_FOLDER = tempfile.mkdtemp(prefix="rollbook-tests-")
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
os.environ["ROLLBOOK_DATA"] = _FOLDER

# Where what tests start keeps its bytecode: for all processes of this run, and no longer than it; see conftest.py.
BYTECODE = "TESTS_BYTECODE"
os.environ.setdefault(BYTECODE, f"{_FOLDER}/bytecode")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# The processes over which pytest spreads the tests are started when DATABASE_URL has gone: they find it here.
FOR_OUR_OWN = "TESTS_DATABASE_URL"
if os.environ.get("DATABASE_URL"):
    os.environ[FOR_OUR_OWN] = os.environ["DATABASE_URL"]
elif FOR_OUR_OWN in os.environ:
    os.environ["DATABASE_URL"] = os.environ[FOR_OUR_OWN]

from rollbook.settings import *
from rollbook.settings import DATA, DATABASES, ON_POSTGRESQL

# What a test starts never finds the database of the test run by chance; see installations.py for theirs.
for _name in ("DATABASE_URL", "DATABASE_URL_FILE"):
    os.environ.pop(_name, None)

if not ON_POSTGRESQL:
    # A file like the real one, not SQLite in memory: locks, WAL and the turnstile are part of what is tested.
    DATABASES["default"]["TEST"] = {"NAME": DATA / "test.sqlite3"}
