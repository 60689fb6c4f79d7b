"""The plan of an update, the limits that judge it, and the events of updates."""

from django.db import models
from django.db.models import Q

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.updates.state_machine import EVENT_STATES


class LimitSet(models.Model):
    """A version of a district's limits; it never changes, see ``limit_sets.py``."""

    district = models.ForeignKey(District, on_delete=models.PROTECT, db_index=False)
    version = models.PositiveIntegerField(help_text="consecutive in each district")
    document = models.JSONField(
        help_text="standing limits, profiles, and what happens when one is exceeded"
    )
    member = models.ForeignKey(
        Member, null=True, on_delete=models.PROTECT, help_text="who saved it; null: the operator"
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["district", "version"], name="limit_set_version")
        ]

    def __str__(self) -> str:
        return f"limits {self.version} of {self.district}"


class Expectation(models.Model):
    """Changes that are expected for a while, and don't count toward the limits."""

    district = models.ForeignKey(District, on_delete=models.PROTECT)
    columns = models.JSONField(help_text="names of columns that may change for everyone")
    until = models.DateTimeField(help_text="it ends by itself then")
    is_for_one_update = models.BooleanField(help_text="whether the first update uses it up")
    used_by = models.ForeignKey(
        "updates.UpdateJob",
        null=True,
        on_delete=models.PROTECT,
        help_text="the update that used it up",
    )
    member = models.ForeignKey(
        Member, null=True, on_delete=models.PROTECT, help_text="who set it; null: the operator"
    )
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, help_text="when somebody ended it; null: nobody")

    def __str__(self) -> str:
        return f"expectation {self.pk} of {self.district}"


class PlanFields(models.Model):
    """What an update would do, what its limits say about that, and what was decided."""

    is_check = models.BooleanField(
        default=False, db_default=False, help_text="a dry run: a person must approve its plan"
    )
    summary = models.JSONField(
        null=True, help_text="what the plan would do, in numbers, see planning/summary.py"
    )
    limit_set = models.ForeignKey(
        LimitSet,
        null=True,
        on_delete=models.PROTECT,
        help_text="the version that judged the plan; null: the default limits, or not judged",
    )
    reasons = models.JSONField(null=True, help_text="the limits that the plan exceeds")
    plan_digest = models.CharField(
        max_length=12, default="", db_default="", help_text="of summary and limits, see judge.py"
    )
    planned_at = models.DateTimeField(null=True, help_text="since when the plan waits")
    apply_at = models.DateTimeField(
        null=True, help_text="when the plan may be applied; null: when a person has approved it"
    )
    discard_at = models.DateTimeField(
        null=True, help_text="when the plan is discarded if nobody has decided"
    )
    decided_by = models.ForeignKey(
        Member,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="who approved or discarded the plan; null: the operator, or nobody",
    )
    decided_at = models.DateTimeField(null=True, help_text="when a person decided")
    decision_note = models.CharField(max_length=200, default="", db_default="")
    left_out_schools = models.JSONField(
        null=True, help_text="SCHOOL_IDs whose rows were left out at the approval"
    )
    rows_left_out = models.PositiveIntegerField(default=0, db_default=0)
    discard_reason = models.CharField(
        max_length=8, default="", db_default="", help_text="see state_machine.py"
    )
    replaced_by = models.ForeignKey(
        "updates.UpdateJob", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    split_from = models.ForeignKey(
        "updates.UpdateJob",
        null=True,
        on_delete=models.PROTECT,
        related_name="split_into",
        help_text="the update whose file has these rows, of schools that exceed a limit",
    )
    token_key = models.CharField(
        max_length=8, default="", db_default="", help_text="of the token that started it"
    )
    note = models.CharField(
        max_length=200, default="", db_default="", help_text="by who started it"
    )
    notified = models.JSONField(
        null=True, help_text="IDs of further members who get the emails about it"
    )

    class Meta:
        abstract = True


class UpdateEvent(models.Model):
    """An update reached a state that people are notified of."""

    update = models.ForeignKey("updates.UpdateJob", on_delete=models.PROTECT)
    state = models.CharField(max_length=16)
    at = models.DateTimeField()
    member = models.ForeignKey(
        Member, null=True, on_delete=models.PROTECT, help_text="who caused it; null: nobody"
    )
    mails_queued_at = models.DateTimeField(null=True, help_text="when its emails were queued")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["update", "state"], name="update_event_once"),
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in EVENT_STATES]),
                name="update_event_state",
            ),
        ]
        indexes = [
            models.Index(
                fields=["mails_queued_at"],
                condition=Q(mails_queued_at__isnull=True),
                name="update_event_mails_not_queued",
            )
        ]

    def __str__(self) -> str:
        return f"{self.state} of {self.update}"
