"""gunicorn's arbiter, the parent of the worker, except that SIGHUP only reloads the certificate."""

import signal

from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]

from rollbook import systemd


class ReloadingArbiter(Arbiter):  # type: ignore[misc]
    """Passes SIGHUP on to the worker, and pings systemd's watchdog from its loop.

    gunicorn would replace the worker, and so end the uploads that take longer than its timeout. The
    arbiter itself kills a worker that is frozen.
    """

    def __init__(self, app: object) -> None:
        super().__init__(app)
        self._watchdog = systemd.Watchdog()

    def handle_hup(self) -> None:
        """Have the worker reload the certificate."""
        self.kill_workers(signal.SIGHUP)

    def murder_workers(self) -> None:
        """Kill workers that are frozen; the loop calls this once a second."""
        super().murder_workers()
        self._watchdog.ping()
