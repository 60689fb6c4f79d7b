"""The Django app, which sets the engine of updates; it has no tables."""

from django.apps import AppConfig

from rollbook import jobs
from rollbook.updates.engine import set_engine


class JobsConfig(AppConfig):
    """The app ``rollbook.jobs``."""

    name = "rollbook.jobs"

    def ready(self) -> None:
        """Set the engine, when Django has loaded all apps."""
        set_engine(jobs.selected)
