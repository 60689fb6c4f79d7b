"""The app whose templates go before those of Django's own admin."""

from django.apps import AppConfig


class Operators(AppConfig):
    """Its label is not ``admin``, which is taken."""

    name = "rollbook.web.operators"
    label = "operators"
