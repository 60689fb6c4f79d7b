"""What is stored with an update that undoes another one."""

from django.db import models


class UndoFields(models.Model):
    """Which update is undone."""

    undoes = models.ForeignKey(
        "updates.UpdateJob",
        null=True,
        on_delete=models.PROTECT,
        related_name="undone_by",
        help_text="the update whose changes are set back; such an update has no file",
    )

    class Meta:
        abstract = True
