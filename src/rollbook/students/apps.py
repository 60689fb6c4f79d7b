"""The Django app ``students``."""

from django.apps import AppConfig

from rollbook.db.triggers import register_triggers
from rollbook.students.absence_triggers import ABSENCE_TRIGGERS
from rollbook.students.touched_triggers import TOUCHED_TRIGGERS


class Students(AppConfig):
    """Registers the triggers and signal handlers of the app."""

    name = "rollbook.students"

    def ready(self) -> None:
        """Register the triggers, and end links with staff members who are changed."""
        register_triggers((*TOUCHED_TRIGGERS, *ABSENCE_TRIGGERS))
        from rollbook.accounts.members.changes import membership_changed  # they import models
        from rollbook.students.manual.staff_links import on_membership_changed

        membership_changed.connect(on_membership_changed)
