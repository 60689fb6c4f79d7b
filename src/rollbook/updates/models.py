"""An update, the rows of its file that need anything done, and what was wrong with them."""

from typing import Self
from uuid import uuid4

from django.db import models
from django.db.models import Case, F, Q, Value, When

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.mail.models import OutgoingMail
from rollbook.students.models import Student
from rollbook.updates.state_machine import IN_PROGRESS, UNFINISHED, Mode, Outcome, State


def _values(words: type[State] | type[Mode] | type[Outcome]) -> list[str]:
    return [word.value for word in words]


class StudentFile(models.Model):
    """What is known of a file once it has come in and was surveyed."""

    file_name = models.CharField(
        max_length=100, help_text="as the client called it, made fit for display"
    )
    file_size = models.PositiveBigIntegerField()
    file_digest = models.CharField(max_length=64, help_text="SHA-256, hexadecimal")
    spool_name = models.CharField(
        max_length=64, help_text="the file's name in the spool folder; ours, not the client's"
    )
    encoding = models.CharField(max_length=32, help_text="as asked for, or the district's")
    detected_encoding = models.CharField(
        max_length=32, help_text="the encoding the file turned out to have"
    )
    header = models.JSONField(default=list, help_text="the column names as sent")
    checkpoints = models.JSONField(
        default=list, help_text="byte and line of places where reading may begin"
    )
    rows = models.PositiveIntegerField(
        default=0, help_text="rows in the file; blank lines and the header do not count"
    )

    class Meta:
        abstract = True


class UpdateJob(StudentFile):
    """One student file and all that becomes of it. ``state`` is written by ``states.py`` only."""

    district = models.ForeignKey(District, on_delete=models.PROTECT, db_index=False)
    number = models.PositiveIntegerField(
        help_text="counts up for each district; all that people ever see of the key"
    )
    mode = models.CharField(max_length=8)
    member = models.ForeignKey(
        Member, null=True, on_delete=models.PROTECT, help_text="who started it; null: the host"
    )
    source = models.CharField(
        max_length=32, help_text="how the file came: curl, the browser, or the rollbook command"
    )
    corrects = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.PROTECT,
        help_text="whose rejected or unprocessed rows the file repeats",
    )

    state = models.CharField(max_length=16)
    run_id = models.CharField(
        max_length=32, default="", help_text="whoever works on it now; all others are fenced out"
    )
    attempts_without_progress = models.PositiveSmallIntegerField(
        default=0, help_text="runs begun since the last commit of any step"
    )
    received_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    applying_at = models.DateTimeField(null=True, help_text="when all rows were checked")
    progressed_at = models.DateTimeField(null=True, help_text="the last commit of a step")
    ended_at = models.DateTimeField(null=True)
    mails_queued_at = models.DateTimeField(null=True, help_text="when its letters were written")
    error_reference = models.CharField(
        max_length=16, default="", help_text="of a failure of ours; the log has the same"
    )

    rows_read = models.PositiveIntegerField(default=0, help_text="rows checked so far")
    rows_staged = models.PositiveIntegerField(
        default=0, help_text="rows that differ and are to be applied"
    )
    applied_through_order = models.BigIntegerField(
        default=-1, help_text="all rows of turns up to this one are applied"
    )
    rows_updated = models.PositiveIntegerField(default=0)
    rows_added = models.PositiveIntegerField(default=0)
    rows_unchanged = models.PositiveIntegerField(default=0)
    rows_rejected = models.PositiveIntegerField(default=0)
    problem_counts = models.JSONField(
        default=dict, help_text="code to count; exact also where details are cut"
    )
    field_counts = models.JSONField(
        null=True, help_text="column to students in whom it changed; null: nobody counted"
    )

    # What retention.py has done, which begins when the district's time is over.
    file_removed_at = models.DateTimeField(null=True, help_text="null: the file is kept")
    details_hidden_at = models.DateTimeField(
        null=True, help_text="since when rows and problems are shown to nobody"
    )
    details_removed_at = models.DateTimeField(
        null=True, help_text="when the last of them was removed"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["district", "number"], name="update_number"),
            models.UniqueConstraint(
                fields=["district", "file_digest", "mode", "encoding"],
                condition=Q(state__in=UNFINISHED),
                name="update_same_file_once",
            ),
            models.UniqueConstraint(
                fields=["district"], condition=Q(state__in=IN_PROGRESS), name="update_one_at_a_time"
            ),
            models.CheckConstraint(condition=Q(state__in=_values(State)), name="update_state"),
            models.CheckConstraint(condition=Q(mode__in=_values(Mode)), name="update_mode"),
            models.CheckConstraint(
                condition=Q(
                    rows__gte=F("rows_updated")
                    + F("rows_added")
                    + F("rows_unchanged")
                    + F("rows_rejected")
                ),
                name="update_one_outcome_a_row",
            ),
            models.CheckConstraint(
                condition=Q(state__in=UNFINISHED, ended_at__isnull=True)
                | (~Q(state__in=UNFINISHED) & Q(ended_at__isnull=False)),
                name="update_ended",
            ),
        ]
        # What a worker asks for several times a second.
        indexes = [
            models.Index(fields=["state"], name="update_by_state"),
            models.Index(
                fields=["mails_queued_at"],
                condition=Q(mails_queued_at__isnull=True),
                name="update_mails_not_queued",
            ),
            # What retention asks for every hour.
            models.Index(
                fields=["ended_at"],
                condition=Q(file_removed_at__isnull=True),
                name="update_with_file",
            ),
            models.Index(
                fields=["ended_at"],
                condition=Q(details_removed_at__isnull=True),
                name="update_with_details",
            ),
        ]

    def __str__(self) -> str:
        return f"update {self.number} of {self.district}"

    @property
    def with_errors(self) -> bool:
        """Whether any row was rejected."""
        return self.rows_rejected > 0

    @property
    def changed(self) -> int:
        """Rows that changed a student."""
        return self.rows_updated + self.rows_added

    @property
    def not_processed(self) -> int:
        """Rows without an outcome; they are final once the update has ended."""
        return self.rows - self.changed - self.rows_unchanged - self.rows_rejected


class Draft(StudentFile):
    """A file that a member chose in the browser: checked, and kept until it is sent, discarded or too old."""

    key = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    district = models.ForeignKey(District, on_delete=models.PROTECT, db_index=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT)
    created_at = models.DateTimeField()
    preview = models.JSONField(
        help_text="what checking found, see findings.py; nothing out of a PASSWORD cell"
    )
    update = models.ForeignKey(
        UpdateJob, null=True, on_delete=models.PROTECT, help_text="what it was sent as"
    )

    def __str__(self) -> str:
        return f"draft of {self.member}"


class FileChunk(models.Model):
    """A piece of an uploaded file, see pieces.py; only on PostgreSQL are there any."""

    spool_name = models.CharField(max_length=64)
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["spool_name", "number"], name="file_chunk_number")
        ]


class CheckedRange(models.Model):
    """A stretch of the file that has been checked: where the next begins, and which students it named.

    ``students`` and ``lines`` are arrays of 64-bit integers, one for each row that means a known student; a
    million rows take 16 MB in all, while a row each would take ten times that. They find duplicates.
    """

    update = models.ForeignKey(UpdateJob, on_delete=models.CASCADE, db_index=False)
    end_byte = models.PositiveBigIntegerField()
    end_line = models.PositiveIntegerField()
    student_ids = models.BinaryField()
    line_numbers = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["update", "end_line"], name="checked_range_end_line")
        ]


class StagedRowQuerySet(models.QuerySet["StagedRow"]):
    """Rows, and how each of them ended: nothing else works that out.

    A row that was applied as it was staged has no outcome of its own. It is updated or added once
    the update's ``applied_through_order`` has reached its turn.
    """

    def with_outcome(self, update: UpdateJob | None = None) -> Self:
        """Annotate ``effective_outcome``; it is null for a row that has not been applied.

        Args:
            update: the update of all these rows if there is only one; saves a join.
        """
        applied_through_order = (
            F("update__applied_through_order")
            if update is None
            else Value(update.applied_through_order)
        )
        conditions = _outcome_conditions(applied_through_order)
        cases = [When(condition, then=Value(outcome)) for outcome, condition in conditions.items()]
        ended = Case(*cases, default=Value(None), output_field=models.CharField())
        return self.annotate(effective_outcome=ended)

    def that_ended(self, outcome: Outcome, update: UpdateJob) -> Self:
        """Keep the update's rows with this effective outcome, by conditions that use indexes."""
        return self.filter(
            _outcome_conditions(update.applied_through_order)[outcome], update=update
        )

    def rejected(self) -> Self:
        """Keep rejected rows, of whatever update."""
        return self.filter(outcome=Outcome.REJECTED)

    def except_unchanged(self) -> Self:
        """Leave out the few staged rows that turned out to be unchanged after all."""
        return self.exclude(outcome=Outcome.UNCHANGED)

    def unapplied(self, update: UpdateJob) -> Self:
        """Keep the update's rows that have not ended: they wait, or were not processed."""
        return self.filter(
            outcome=None, apply_order__gt=update.applied_through_order, update=update
        )

    def without_own_outcome(self) -> Self:
        """Keep rows without an outcome of their own."""
        return self.filter(outcome=None)


def _outcome_conditions(applied_through_order: int | F | Value) -> dict[Outcome, Q]:
    """Return for each outcome the rows that ended so."""
    applied = Q(outcome=None, apply_order__lte=applied_through_order)
    return {
        Outcome.UPDATED: Q(outcome=Outcome.UPDATED) | (applied & Q(student__isnull=False)),
        Outcome.ADDED: Q(outcome=Outcome.ADDED) | (applied & Q(student__isnull=True)),
        Outcome.UNCHANGED: Q(outcome=Outcome.UNCHANGED),
        Outcome.REJECTED: Q(outcome=Outcome.REJECTED),
    }


class StagedRow(models.Model):
    """A row that is not simply unchanged: staged until it has an outcome.

    Rows are applied in the order of ``turn``; rows of one turn go together into one chunk. ``takes_…`` is a key
    the student does not hold yet; each must be free when the row's turn comes. A rejected row that means nobody has
    there the keys it names, so that it can be found by them. Rows that were applied as they were
    staged have no outcome of their own: the update's ``applied_through_order`` tells, and each chunk writes one row the less.
    """

    # Without constraints, which cost as much as the rows themselves: what is staged is looked up again to be applied.
    update = models.ForeignKey(
        UpdateJob, on_delete=models.CASCADE, db_index=False, db_constraint=False
    )
    line = models.PositiveIntegerField()
    student = models.ForeignKey(
        Student,
        null=True,
        on_delete=models.PROTECT,
        db_index=False,
        db_constraint=False,
        help_text="null: a new one",
    )
    values_json = models.TextField(
        help_text="JSON: column to value of a new student, else column to old and new value"
    )
    apply_order = models.PositiveBigIntegerField()
    outcome = models.CharField(
        max_length=16, null=True, help_text="if not that which ENDED_AS tells"
    )
    claims_student_id = models.CharField(max_length=32, null=True)
    claims_username = models.CharField(max_length=64, null=True)
    claims_name_key = models.CharField(max_length=512, null=True)
    claims_dob = models.DateField(null=True)
    fingerprint = models.BigIntegerField(
        null=True, help_text="of the record, see students/fingerprints.py; null: it had a problem"
    )
    student_version = models.PositiveIntegerField(
        null=True, help_text="of the student, when the row was compared"
    )
    simple_columns = models.CharField(
        max_length=512,
        null=True,
        help_text="the columns that change, if all of them are nothing but their own value",
    )

    effective_outcome: str | None  # set by with_outcome()
    objects = StagedRowQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["update", "line"], name="row_line"),
            models.CheckConstraint(
                condition=Q(outcome__isnull=True) | Q(outcome__in=_values(Outcome)),
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
                    fields=["update", *keys],
                    condition=Q(**{f"{keys[0]}__isnull": False}),
                    name=f"row_{keys[0]}",
                )
                for keys in (
                    ["claims_student_id"],
                    ["claims_username"],
                    ["claims_name_key", "claims_dob"],
                )
            ),
        ]


class RowDependency(models.Model):
    """A row that takes a key which another row's student still holds and will give up."""

    update = models.ForeignKey(UpdateJob, on_delete=models.CASCADE, db_index=False)
    line = models.PositiveIntegerField()
    blocked_by_line = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["update", "blocked_by_line", "line"], name="row_dependency_once"
            )
        ]


class Problem(models.Model):
    """What is wrong with the file or a row; its words stand in ``studentfile/problems/problem.py`` under its code."""

    update = models.ForeignKey(UpdateJob, on_delete=models.CASCADE, db_index=False)
    line = models.PositiveIntegerField(null=True, help_text="null: the whole file")
    column = models.CharField(max_length=64, null=True)
    code = models.CharField(max_length=40)
    found = models.CharField(max_length=200, default="", help_text="never out of a PASSWORD cell")
    hint = models.TextField(default="")

    class Meta:
        indexes = [models.Index(fields=["update", "line"], name="problem_line")]


class ResultMail(OutgoingMail):
    """The mail with an update's results to one person."""

    update = models.ForeignKey(UpdateJob, on_delete=models.PROTECT, db_index=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["update", "member"], name="result_mail_once")
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
                name="result_mail_due",
            )
        ]

    def __str__(self) -> str:
        return f"email {self.pk} of update {self.update.number}"

    @property
    def recipient(self) -> str:
        """The member's address."""
        return self.member.email
