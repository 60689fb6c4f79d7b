"""An update's progress while it is worked on, here or by the server's worker."""

import time

from rollbook.cli.progress_bar import ProgressBar
from rollbook.updates.models import Update
from rollbook.updates.moves import LIVE, State

POLL_INTERVAL_S = 0.2


class UpdateProgress:
    """Called often; looks now and then."""

    def __init__(self, update: Update, progress: ProgressBar) -> None:
        self._update = update
        self._progress = progress
        self._due = 0.0
        self._told_waiting = False
        self._checked = False

    def __call__(self) -> None:
        if time.monotonic() >= self._due:
            self.look()
            self._due = time.monotonic() + POLL_INTERVAL_S

    def look(self) -> None:
        """Show how far the update is now."""
        update = self._update
        update.refresh_from_db()
        if update.state == State.RECEIVED:
            self._tell_waiting()
            return
        if not self._checked and update.rows:
            self._progress.show("checking", update.read, update.rows)
            self._checked = update.state != State.CHECKING
        if self._checked and update.staged:
            self._progress.show(
                "applying", update.updated + update.added, update.staged, "changed students"
            )

    def _tell_waiting(self) -> None:
        ahead = Update.objects.filter(
            district=self._update.district_id, state__in=LIVE, number__lt=self._update.number
        ).order_by("number")
        numbers = [str(number) for number in ahead.values_list("number", flat=True)]
        if numbers and not self._told_waiting:
            self._told_waiting = True
            self._progress.say(
                f"update {self._update.number} waits for update {' and '.join(numbers)}"
            )
