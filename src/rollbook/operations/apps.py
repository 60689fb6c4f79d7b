"""The Django app."""

from django.apps import AppConfig


class Operations(AppConfig):
    """The app ``rollbook.operations``."""

    name = "rollbook.operations"
