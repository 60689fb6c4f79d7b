"""The students of one district, with the file's columns and Rollbook's unique indexes."""

from typing import ClassVar

from django.db import models


class Student(models.Model):
    """One row of a student file. The password is stored as sent, which is faster than hashing."""

    student_id = models.CharField(max_length=32, unique=True)
    username = models.CharField(max_length=64, unique=True)
    password = models.CharField(max_length=64)
    first_name = models.CharField(max_length=100)
    middle_initial = models.CharField(max_length=1, blank=True)
    last_name = models.CharField(max_length=100)
    dob = models.DateField()
    gender = models.CharField(max_length=1)
    grade = models.CharField(max_length=8)
    school_id = models.CharField(max_length=64)
    ell = models.CharField(max_length=1)
    special_ed = models.CharField(max_length=1)
    title_1 = models.CharField(max_length=1)
    migrant = models.CharField(max_length=1)
    race = models.CharField(max_length=2)
    parent_email_1 = models.CharField(max_length=254)
    additional_info_1 = models.CharField(max_length=255)
    groups = models.CharField(max_length=255)

    objects: ClassVar[models.Manager["Student"]] = models.Manager()

    class Meta:
        app_label = "peer"
        constraints = [
            models.UniqueConstraint(
                fields=["first_name", "last_name", "dob"], name="student_name_and_dob"
            )
        ]

    def __str__(self) -> str:
        return self.student_id
