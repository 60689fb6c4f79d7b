"""Compare the schema with this version while a process runs.

``rollbook migrate`` of a newer version may run at any time, and a new version may be started before
it. A web server keeps the result of its last comparison, so that requests need no query.
"""

import logging
import threading
import time
from collections.abc import Callable

from django.db import connection

from rollbook.db.schema_version import DatabaseIsNewer, DatabaseIsOlder, SchemaCheck
from rollbook.db.transient_errors import is_transient

CHECK_INTERVAL_S = 3.0
WAITING = "waiting for `rollbook migrate`: %s"

log = logging.getLogger(__name__)


def wait_until_current(stop: threading.Event, report: Callable[[], None] = lambda: None) -> bool:
    """Wait until the database has been migrated to this version, or ``stop`` is set.

    Args:
        stop: Ends the waiting.
        report: Called every few seconds meanwhile.

    Returns:
        Whether there was something to wait for.

    Raises:
        DatabaseIsNewer: A newer version of Rollbook has changed the database.
    """
    check, logged = SchemaCheck(), ""
    while not stop.is_set():
        reason = _reason_to_wait(check)
        if not reason:
            break
        if reason != logged:
            log.warning("%s", reason)
            logged = reason
        report()
        stop.wait(CHECK_INTERVAL_S)
    return bool(logged)


def _reason_to_wait(check: SchemaCheck) -> str:
    """Return why the database can't be used yet; empty if it can."""
    try:
        check.require_current()
    except DatabaseIsOlder as older:
        return WAITING % older
    except Exception as error:
        if not is_transient(error):
            raise
        connection.close()
        return "waiting for the database, which is not available"
    return ""


class SchemaWatch:
    """The last comparison of a web server, which its requests see."""

    def __init__(self) -> None:
        self._check = SchemaCheck()
        self._lock = threading.Lock()  # several requests may fail at the same time
        self._is_current = True
        self._complete: Callable[[], None] = lambda: None

    @property
    def is_current(self) -> bool:
        """Whether requests can be answered, as far as is known."""
        return self._is_current

    def compare(self) -> bool:
        """Compare now, and return whether requests can be answered.

        Raises:
            DatabaseIsNewer: A newer version of Rollbook has changed the database.
        """
        with self._lock:
            try:
                self._check.require_current()
                if not self._is_current:
                    self._complete()
                    log.info("the database is of this version; answering requests")
                self._is_current = True
            except DatabaseIsOlder as older:
                if self._is_current:
                    log.warning(WAITING, older)
                self._is_current = False
            except DatabaseIsNewer:
                self._is_current = False
                raise
        return self._is_current

    def start(self, complete: Callable[[], None], stop: Callable[[], None]) -> None:
        """Compare now, and in a thread every ``CHECK_INTERVAL_S`` until the database is newer.

        Args:
            complete: Is called when the database has been migrated to this version.
            stop: Is called when the database is newer.
        """
        self._complete = complete
        self._compare_or(stop)
        threading.Thread(target=self._repeat, args=(stop,), name="schema", daemon=True).start()

    def _repeat(self, stop: Callable[[], None]) -> None:
        while True:
            time.sleep(CHECK_INTERVAL_S)
            self._compare_or(stop)

    def _compare_or(self, stop: Callable[[], None]) -> None:
        try:
            self.compare()
        except DatabaseIsNewer as newer:
            log.error("%s", newer)
            stop()
        except Exception:
            # Requests find out by themselves that the database isn't available.
            log.warning("the schema of the database can't be checked now", exc_info=True)
        finally:
            connection.close()


watch = SchemaWatch()
"""The watch of this process."""
