"""The tables of this app; each folder has its own models."""

from rollbook.operations.alerts.models import Alert, AlertMail, PingSchedule

__all__ = ["Alert", "AlertMail", "PingSchedule"]
