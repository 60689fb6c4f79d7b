"""The students whom a file in full sync doesn't name."""

from django.db import models


class MissingStudents(models.Model):
    """The students whom a file in full sync doesn't name: parallel arrays.

    Written when all rows have been checked. They are counted when the update completes.
    """

    update = models.OneToOneField("updates.UpdateJob", primary_key=True, on_delete=models.CASCADE)
    student_ids = models.BinaryField(help_text="64-bit integers, in ascending order")
    files = models.BinaryField(
        help_text="bytes: the files without each of them, with this one; 255: or more"
    )

    def __str__(self) -> str:
        return f"missing students of {self.update}"
