"""Tables of the whole installation."""

from django.db import models


class WriteProbe(models.Model):
    """A row that is inserted and deleted at once, to find out if the database can be written."""

    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"write probe {self.pk}"
