"""The abstract model of an email in the outbox."""

from django.db import models


class OutgoingMail(models.Model):
    """An email that is retried until the mail server accepts it; see ``outbox.py``."""

    queued_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, help_text="null: sent or given up")
    sent_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=100, default="")

    class Meta:
        abstract = True

    @property
    def recipient(self) -> str:
        """The address that the email is sent to."""
        raise NotImplementedError
