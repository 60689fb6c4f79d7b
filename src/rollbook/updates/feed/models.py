"""What is stored with an update about the shape of its file."""

from django.db import models


class FeedFields(models.Model):
    """The shape of a file, and what was found about it."""

    shape = models.JSONField(
        null=True, help_text="how its columns look, see studentfile/shape.py; null: not known"
    )
    findings = models.JSONField(
        null=True, help_text="what looks wrong with the file, see feed/findings.py"
    )

    class Meta:
        abstract = True
