"""Alerts, the emails about them, and when the ping URL is requested next."""

from enum import StrEnum

from django.db import models
from django.db.models import Q

from rollbook.mail.models import OutgoingMail


class AlertState(StrEnum):
    """How far an alert is: ``state_machine.py`` has the transitions."""

    OPEN = "open"
    NOTIFIED = "notified"
    RESOLVED = "resolved"


class AlertEvent(StrEnum):
    """What an email is about; TEST is sent on request only, AUDIT once a day."""

    OPENED = "opened"
    REMINDER = "reminder"
    RESOLVED = "resolved"
    TEST = "test"
    AUDIT = "audit"


class Alert(models.Model):
    """A condition that was found, with one row however many processes find it."""

    code = models.CharField(max_length=40, unique=True)
    state = models.CharField(max_length=10)
    detail = models.CharField(max_length=300, help_text="what was found last")
    opened_at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="when it was found last")
    notified_at = models.DateTimeField(null=True, help_text="last notification or reminder")
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in AlertState]), name="alert_state"
            ),
            models.CheckConstraint(
                condition=~Q(state=AlertState.NOTIFIED.value) | Q(notified_at__isnull=False),
                name="alert_notified_at",
            ),
            models.CheckConstraint(
                condition=Q(state=AlertState.RESOLVED.value, resolved_at__isnull=False)
                | (~Q(state=AlertState.RESOLVED.value) & Q(resolved_at__isnull=True)),
                name="alert_resolved_at",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} ({self.state})"


class AlertMail(OutgoingMail):
    """An email to one operator about one or more alerts."""

    event = models.CharField(max_length=10)
    to_address = models.CharField(max_length=254)
    alerts = models.JSONField(help_text="for each alert: its code, detail, and opened_at")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(event__in=[event.value for event in AlertEvent]),
                name="alert_mail_event",
            )
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
                name="alert_mail_due",
            )
        ]

    def __str__(self) -> str:
        return f"alert email {self.pk} ({self.event})"

    @property
    def recipient(self) -> str:
        """The operator's address."""
        return self.to_address


class PingSchedule(models.Model):
    """When the ping URL is requested next. There is at most one row."""

    due_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"due at {self.due_at:%Y-%m-%d %H:%M:%S}"
