"""The Django app of the operators' site; its templates take precedence over those of the admin."""

from django.apps import AppConfig


class Operators(AppConfig):
    """The app, with a label other than ``admin``, which Django's own app uses."""

    name = "rollbook.web.operators"
    label = "operators"
