"""The Django app, which registers its database triggers."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate

from rollbook.db.triggers import drop_triggers, install_triggers, register_triggers
from rollbook.updates.mappings.frozen_versions import MAPPING_TRIGGER
from rollbook.updates.planning.frozen_rows import FROZEN_ROW_TRIGGERS
from rollbook.updates.state_machine import TRANSITION_TRIGGERS


class Updates(AppConfig):
    """The app ``rollbook.updates``."""

    name = "rollbook.updates"

    def ready(self) -> None:
        """Register the triggers, and install all of them whenever the database is migrated."""
        register_triggers((*TRANSITION_TRIGGERS, *FROZEN_ROW_TRIGGERS, MAPPING_TRIGGER))
        pre_migrate.connect(drop_triggers, sender=self)
        post_migrate.connect(install_triggers, sender=self)
