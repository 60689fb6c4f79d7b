"""Show the progress of an update while a worker, here or in the server, processes it."""

import time

from rollbook.cli.progress_bar import ProgressBar
from rollbook.text import name_updates
from rollbook.updates.models import UpdateJob
from rollbook.updates.reporting.state_words import APPLYING, CHECKING
from rollbook.updates.state_machine import IN_QUEUE, State

POLL_INTERVAL_S = 0.2


class UpdateProgress:
    """Polls an update at most every POLL_INTERVAL_S, however often it is called."""

    def __init__(self, update: UpdateJob, progress_bar: ProgressBar) -> None:
        self._update = update
        self._progress_bar = progress_bar
        self._next_poll_at = 0.0
        self._is_checked = False

    def __call__(self) -> None:
        """Show the progress if the last time was long enough ago."""
        if time.monotonic() >= self._next_poll_at:
            self.show()
            self._next_poll_at = time.monotonic() + POLL_INTERVAL_S

    def show(self) -> None:
        """Read the update from the database and show its progress."""
        update = self._update
        update.refresh_from_db()
        if update.state == State.RECEIVED:
            self._show_queue()
            return
        if not self._is_checked and update.rows:
            self._progress_bar.show(CHECKING.activity, update.rows_read, update.rows)
            self._is_checked = update.state != State.CHECKING
        if self._is_checked and update.rows_staged:
            applied = update.rows_updated + update.rows_added
            staged = update.rows_staged
            self._progress_bar.show(APPLYING.activity, applied, staged, "changed students")

    def _show_queue(self) -> None:
        earlier_updates = UpdateJob.objects.filter(
            district=self._update.district_id, state__in=IN_QUEUE, number__lt=self._update.number
        ).order_by("number")
        numbers = list(earlier_updates.values_list("number", flat=True))
        if numbers:
            text = f"update {self._update.number} is waiting for {name_updates(numbers)}"
            self._progress_bar.show_status(text)
