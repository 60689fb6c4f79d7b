"""Update jobs, the files they come from, and the problems of both."""

from uuid import uuid4

from django.db import models
from django.db.models import F, Q

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.mail.models import OutgoingMail
from rollbook.studentfile.mapping.mapping import MappingDocument
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.rules import FileRules
from rollbook.updates.absences.models import MissingStudents
from rollbook.updates.checking.models import RowDependency, StagedRow
from rollbook.updates.feed.models import FeedFields
from rollbook.updates.manifest.models import AddedStudents, CheckedRange, FileLots, Manifest
from rollbook.updates.mappings.models import ColumnMapping
from rollbook.updates.planning.models import Expectation, LimitSet, PlanFields, UpdateEvent
from rollbook.updates.state_machine import (
    IN_PROGRESS,
    PLAN_WAITING,
    REPLAYED,
    UNFINISHED,
    Mode,
    Outcome,
    State,
)
from rollbook.updates.undoing.models import UndoFields

__all__ = [
    "AddedStudents",
    "CheckedRange",
    "ColumnMapping",
    "Draft",
    "Expectation",
    "FileChunk",
    "FileLots",
    "LimitSet",
    "Manifest",
    "MissingStudents",
    "Problem",
    "ResultMail",
    "RowDependency",
    "StagedRow",
    "UpdateEvent",
    "UpdateJob",
]


def _values(words: type[State] | type[Mode] | type[Outcome]) -> list[str]:
    return [word.value for word in words]


class StudentFile(models.Model):
    """A stored student file and the result of scanning it."""

    file_name = models.CharField(
        max_length=100, help_text="the client's name for it, made printable"
    )
    file_size = models.PositiveBigIntegerField()
    file_digest = models.CharField(max_length=64, help_text="SHA-256, hexadecimal")
    spool_name = models.CharField(
        max_length=64, help_text="its name in the spool folder, which is generated"
    )
    encoding = models.CharField(max_length=32, help_text="as requested, otherwise the district's")
    spool_digest = models.CharField(
        max_length=64, default="", help_text="SHA-256 of the stored file, which may be converted"
    )
    detected_encoding = models.CharField(max_length=32, help_text="the encoding that was detected")
    rules = models.JSONField(
        default=dict, help_text="by which its rows are validated, see studentfile/rules.py"
    )
    header = models.JSONField(default=list, help_text="the column names as sent")
    mapping = models.ForeignKey(
        ColumnMapping,
        null=True,
        on_delete=models.PROTECT,
        help_text="the version of the column mapping it is read through; null: none",
    )
    checkpoints = models.JSONField(
        default=list, help_text="[byte, line] of each record at which reading can start"
    )
    rows = models.PositiveIntegerField(
        default=0, help_text="rows in the file, without blank lines and the header"
    )

    class Meta:
        abstract = True

    @property
    def file_rules(self) -> FileRules:
        """The rules by which the file's rows are validated."""
        return FileRules.from_json(self.rules)

    @property
    def mapping_document(self) -> MappingDocument | None:
        """The column mapping through which the file is read, if there is one."""
        return self.mapping.mapping if self.mapping else None

    def parse_header(self) -> Header:
        """Return the header as the file's rows are read with it."""
        header, _ = Header.parse(self.header, self.mapping_document)
        return header


class UpdateJob(StudentFile, PlanFields, FeedFields, UndoFields):
    """The processing of one student file. Only ``transitions.py`` writes ``state``."""

    district = models.ForeignKey(District, on_delete=models.PROTECT, db_index=False)
    number = models.PositiveIntegerField(
        help_text="consecutive in each district; what people see instead of the ID"
    )
    mode = models.CharField(max_length=8)
    member = models.ForeignKey(
        Member, null=True, on_delete=models.PROTECT, help_text="who started it; null: the operator"
    )
    limits = models.JSONField(
        null=True, help_text="of the token that started it, see token_limits.py; null: none"
    )
    source = models.CharField(
        max_length=32, help_text="how it was sent: curl, the browser, or the rollbook command"
    )
    corrects = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.PROTECT,
        help_text="the update whose rejected or unprocessed rows the file repeats",
    )

    state = models.CharField(max_length=16)
    run_id = models.CharField(
        max_length=32, default="", help_text="the run that holds the update; all others are fenced"
    )
    attempts_without_progress = models.PositiveSmallIntegerField(
        default=0, help_text="runs started since a step was last committed"
    )
    received_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    applying_at = models.DateTimeField(null=True, help_text="when all rows had been checked")
    progressed_at = models.DateTimeField(null=True, help_text="when a step was last committed")
    ended_at = models.DateTimeField(null=True)
    mails_queued_at = models.DateTimeField(
        null=True, help_text="when its result emails were queued"
    )
    watched_at = models.DateTimeField(
        null=True, help_text="when its page showed the result to the sender, see watching.py"
    )
    error_reference = models.CharField(
        max_length=16, default="", help_text="of a failure on our side; the log has the same"
    )

    rows_read = models.PositiveIntegerField(default=0, help_text="rows checked so far")
    rows_staged = models.PositiveIntegerField(
        default=0, help_text="rows that differ from their students and are to be applied"
    )
    applied_through_order = models.BigIntegerField(
        default=-1, help_text="all rows up to this apply_order are applied"
    )
    rows_updated = models.PositiveIntegerField(default=0)
    rows_added = models.PositiveIntegerField(default=0)
    rows_unchanged = models.PositiveIntegerField(default=0)
    rows_rejected = models.PositiveIntegerField(default=0)
    rows_deactivated = models.PositiveIntegerField(
        default=0,
        db_default=0,
        help_text="students who were deactivated because the file doesn't name them",
    )
    absences = models.JSONField(
        null=True, help_text="whom the file doesn't name, in numbers, see absences/figures.py"
    )
    problem_counts = models.JSONField(
        default=dict, help_text="code to count; exact even where not all details are stored"
    )
    field_counts = models.JSONField(
        null=True, help_text="column to number of students whose value changed; null: not counted"
    )

    # Written by leftovers.py after the update has ended.
    leftovers_through_line = models.PositiveIntegerField(
        default=0, help_text="staged rows up to this line no longer contain data of students"
    )
    leftovers_removed_at = models.DateTimeField(
        null=True, help_text="since when no staged row contains data of students"
    )

    # Written by retention.py when the district's retention times have passed.
    file_removed_at = models.DateTimeField(null=True, help_text="null: the file is still stored")
    details_hidden_at = models.DateTimeField(
        null=True, help_text="since when rows and problems are no longer shown"
    )
    details_removed_at = models.DateTimeField(
        null=True, help_text="when the last of them was removed"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["district", "number"], name="update_number"),
            models.UniqueConstraint(
                fields=["district", "file_digest", "mode", "encoding", "is_check"],
                condition=Q(state__in=REPLAYED, split_from__isnull=True, mapping__isnull=True),
                name="update_same_file_in_queue",
            ),
            models.UniqueConstraint(
                fields=["district", "file_digest", "mode", "encoding", "is_check", "mapping"],
                condition=Q(state__in=REPLAYED, split_from__isnull=True),
                name="update_same_mapped_file_in_queue",
            ),
            models.UniqueConstraint(
                fields=["district"], condition=Q(state__in=IN_PROGRESS), name="update_one_at_a_time"
            ),
            models.UniqueConstraint(
                fields=["undoes"],
                condition=Q(undoes__isnull=False)
                & Q(state__in=[*UNFINISHED, State.COMPLETED.value]),
                name="update_undone_once",
            ),
            models.CheckConstraint(condition=Q(state__in=_values(State)), name="update_state"),
            models.CheckConstraint(condition=Q(mode__in=_values(Mode)), name="update_mode"),
            models.CheckConstraint(
                condition=Q(
                    rows__gte=F("rows_updated")
                    + F("rows_added")
                    + F("rows_unchanged")
                    + F("rows_rejected")
                    + F("rows_left_out")
                ),
                name="update_outcomes_of_rows",
            ),
            models.CheckConstraint(
                condition=Q(state__in=UNFINISHED, ended_at__isnull=True)
                | (~Q(state__in=UNFINISHED) & Q(ended_at__isnull=False)),
                name="update_ended",
            ),
        ]
        # Queried by the worker several times a second.
        indexes = [
            models.Index(fields=["state"], name="update_by_state"),
            models.Index(
                fields=["mails_queued_at"],
                condition=Q(mails_queued_at__isnull=True),
                name="update_mails_not_queued",
            ),
            models.Index(
                fields=["ended_at"],
                condition=Q(leftovers_removed_at__isnull=True),
                name="update_with_leftovers",
            ),
            models.Index(
                fields=["discard_at"],
                condition=Q(state__in=PLAN_WAITING),
                name="update_with_plan",
            ),
            # Queried by retention every hour.
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
            models.Index(
                fields=["ended_at"],
                condition=Q(summary__isnull=False),
                name="update_with_summary",
            ),
        ]

    same_as: "UpdateJob | None" = None
    """Set while it runs: the last update, whose file was the same; nobody has changed since."""

    def __str__(self) -> str:
        return f"update {self.number} of {self.district}"

    @property
    def with_errors(self) -> bool:
        """Whether any row was rejected."""
        return self.rows_rejected > 0

    @property
    def changed(self) -> int:
        """Rows that updated or added a student."""
        return self.rows_updated + self.rows_added

    @property
    def settled(self) -> int:
        """Rows that changed a student, or match what was there."""
        return self.changed + self.rows_unchanged

    @property
    def not_processed(self) -> int:
        """Rows without an outcome; they are final once the update has ended."""
        return self.rows - self.settled - self.rows_rejected - self.rows_left_out

    @property
    def needs_decision(self) -> bool:
        """Whether the plan waits for a person."""
        return self.state in PLAN_WAITING and self.apply_at is None


class Draft(StudentFile):
    """A file chosen in the browser, stored until it is submitted, discarded or expired."""

    key = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    district = models.ForeignKey(District, on_delete=models.PROTECT, db_index=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT)
    created_at = models.DateTimeField()
    preview = models.JSONField(help_text="like sealed_preview, but of drafts of older versions")
    sealed_preview = models.BinaryField(
        null=True, help_text="the result of the check, encrypted; see preview.py"
    )
    update = models.ForeignKey(
        UpdateJob, null=True, on_delete=models.PROTECT, help_text="the update it was submitted as"
    )

    def __str__(self) -> str:
        return f"draft of {self.member}"


class FileChunk(models.Model):
    """A chunk of an uploaded file, see ``file_chunks.py``; only used on PostgreSQL."""

    spool_name = models.CharField(max_length=64)
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["spool_name", "number"], name="file_chunk_number")
        ]


class Problem(models.Model):
    """A problem of a file or a row. Its text is in ``studentfile/problems/``, by its code."""

    update = models.ForeignKey(UpdateJob, on_delete=models.CASCADE, db_index=False)
    line = models.PositiveIntegerField(null=True, help_text="null: the whole file")
    column = models.CharField(max_length=64, null=True)
    code = models.CharField(max_length=40)
    found = models.CharField(
        max_length=200, default="", help_text="the value, of updates of older versions"
    )
    hint = models.TextField(default="", help_text="likewise")
    sealed = models.BinaryField(
        null=True, help_text="the value and the hint, encrypted; see problem_store.py"
    )

    class Meta:
        indexes = [models.Index(fields=["update", "line"], name="problem_line")]


class ResultMail(OutgoingMail):
    """The email about an event of an update, such as its results, to one staff member."""

    update = models.ForeignKey(UpdateJob, on_delete=models.PROTECT)
    event = models.ForeignKey(
        UpdateEvent,
        null=True,
        on_delete=models.PROTECT,
        db_index=False,
        help_text="null: the end of an update of an older version",
    )
    member = models.ForeignKey(Member, on_delete=models.PROTECT)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["update", "member"],
                condition=Q(event__isnull=True),
                name="result_mail_without_event",
            ),
            models.UniqueConstraint(fields=["event", "member"], name="result_mail_once_an_event"),
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
