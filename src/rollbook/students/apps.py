"""The Django app ``students``."""

from django.apps import AppConfig

from rollbook.db.triggers import register_triggers
from rollbook.students.fingerprint_triggers import FINGERPRINT_TRIGGERS


class Students(AppConfig):
    """Registers the triggers of the app."""

    name = "rollbook.students"

    def ready(self) -> None:
        """Register the triggers."""
        register_triggers(FINGERPRINT_TRIGGERS)
