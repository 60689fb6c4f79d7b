"""The Django app, which registers the triggers of the audit log."""

from django.apps import AppConfig
from django.core.signals import request_started

from rollbook.accounts.audit.triggers import AUDIT_TRIGGERS
from rollbook.db.triggers import register_triggers


class Accounts(AppConfig):
    """The app ``accounts``."""

    name = "rollbook.accounts"

    def ready(self) -> None:
        """Register the triggers, and follow rotations of the session key."""
        register_triggers(AUDIT_TRIGGERS)
        from rollbook.accounts.key_ring import refresh_session_key  # it imports models

        request_started.connect(refresh_session_key)
