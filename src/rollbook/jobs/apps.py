"""The app that sets the engine of updates when Django starts; it has no tables."""

from django.apps import AppConfig

from rollbook import jobs
from rollbook.updates.engine import set_engine


class JobsConfig(AppConfig):
    """Django's settings name the package; this class is found by Django."""

    name = "rollbook.jobs"

    def ready(self) -> None:
        """Called by Django when all apps are loaded."""
        set_engine(jobs.selected)
