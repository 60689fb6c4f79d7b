"""The product's settings over a data folder that is made for this test run and removed after it."""

import atexit
import os
import shutil
import tempfile

_FOLDER = tempfile.mkdtemp(prefix="rollbook-tests-")
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
os.environ["ROLLBOOK_DATA"] = _FOLDER

from rollbook.settings import *  # noqa: E402, F403
from rollbook.settings import DATA, DATABASES  # noqa: E402

# A file like the real one, not SQLite in memory: locks, WAL and the turnstile are part of what is tested.
DATABASES["default"]["TEST"] = {"NAME": DATA / "test.sqlite3"}
