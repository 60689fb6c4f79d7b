"""The Django app, which registers the triggers of the audit log."""

from django.apps import AppConfig

from rollbook.accounts.audit.triggers import AUDIT_TRIGGERS
from rollbook.db.triggers import register_triggers


class Accounts(AppConfig):
    """The app ``accounts``."""

    name = "rollbook.accounts"

    def ready(self) -> None:
        """Register the triggers."""
        register_triggers(AUDIT_TRIGGERS)
