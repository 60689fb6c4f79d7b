"""The staged rows of updates."""

from django.db import models
from django.db.models import Q

from rollbook.students.models import Student
from rollbook.updates.row_outcomes import StagedRowQuerySet
from rollbook.updates.state_machine import Outcome

_STORED_OUTCOMES = [outcome.value for outcome in Outcome if outcome is not Outcome.DEACTIVATED]


class StagedRow(models.Model):
    """A row that is to be applied, or that was settled while checking.

    Rows are applied by ``apply_order``; rows that share one are applied in the same chunk.
    ``claims_*`` are the keys that the student doesn't hold yet. STUDENT_ID and username must be
    free when the row is applied; name and date of birth may be those of another student. For a
    rejected row without a student they are the keys in the file, by which the row can be found. A
    row that was applied as staged keeps ``outcome`` null, which saves one write for each row: it
    is derived from ``applied_through_order``, see ``row_outcomes.py``.
    """

    # Without foreign key constraints and their indexes, which would cost as much as the rows.
    update = models.ForeignKey(
        "updates.UpdateJob", on_delete=models.CASCADE, db_index=False, db_constraint=False
    )
    line = models.PositiveIntegerField()
    student = models.ForeignKey(
        Student,
        null=True,
        on_delete=models.PROTECT,
        db_index=False,
        db_constraint=False,
        help_text="null: a new student",
    )
    values_json = models.TextField(
        help_text="JSON: column to [old, new] value; for a new student, column to value"
    )
    apply_order = models.PositiveBigIntegerField()
    outcome = models.CharField(
        max_length=16, null=True, help_text="null: not applied, or applied as staged"
    )
    claims_student_id = models.CharField(max_length=64, null=True)
    claims_username = models.CharField(max_length=64, null=True)
    claims_name_key = models.CharField(max_length=512, null=True)
    claims_dob = models.DateField(null=True)
    claims_loose_key = models.BigIntegerField(
        null=True, help_text="of the name and date of birth, see students/name_keys.py"
    )
    fingerprint = models.BigIntegerField(
        null=True, help_text="of the row, see manifest/fingerprints.py; null: it had a problem"
    )
    student_version = models.PositiveIntegerField(
        null=True, help_text="version of the student that the row was compared with"
    )
    simple_columns = models.CharField(
        max_length=512,
        null=True,
        help_text="the columns that change, if all of them are simple (see students/writer.py)",
    )
    columns = models.CharField(
        max_length=512,
        null=True,
        help_text="all columns that change; those that lose their value end in a minus sign",
    )
    school = models.CharField(
        max_length=64, null=True, help_text="SCHOOL_ID of the student before the update"
    )
    to_school = models.CharField(
        max_length=64, null=True, help_text="SCHOOL_ID of the school that the student would go to"
    )

    effective_outcome: str | None  # set by with_outcome()
    objects = StagedRowQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["update", "line"], name="row_line"),
            models.CheckConstraint(
                condition=Q(outcome__isnull=True) | Q(outcome__in=_STORED_OUTCOMES),
                name="row_outcome",
            ),
        ]
        indexes = [
            models.Index(
                fields=["update", "apply_order"], condition=Q(outcome__isnull=True), name="row_open"
            ),
            models.Index(
                fields=["update", "student"], condition=Q(student__isnull=False), name="row_student"
            ),
            models.Index(
                fields=["update", "outcome", "line"],
                condition=Q(outcome__isnull=False),
                name="row_ended",
            ),
            *(
                models.Index(
                    fields=["update", key],
                    condition=Q(**{f"{key}__isnull": False}),
                    name=f"row_{key}",
                )
                for key in ("claims_student_id", "claims_username", "claims_loose_key")
            ),
        ]


class RowDependency(models.Model):
    """A row that claims a key which is released by another row."""

    update = models.ForeignKey("updates.UpdateJob", on_delete=models.CASCADE, db_index=False)
    line = models.PositiveIntegerField()
    blocked_by_line = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["update", "blocked_by_line", "line"], name="row_dependency_once"
            )
        ]
