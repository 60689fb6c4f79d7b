"""Choose which emails about updates a member gets."""

from datetime import datetime

from rollbook.accounts.email_choice import EmailChoice, last_summary_day
from rollbook.accounts.models import Member


def choose(member: Member, choice: EmailChoice, now: datetime) -> None:
    """Store the choice; the first weekly summary is sent on the Monday that follows.

    Args:
        member: The member.
        choice: The new choice.
        now: The current time.
    """
    values: dict[str, object] = {"update_emails": choice}
    if choice is EmailChoice.WEEKLY and member.update_emails != EmailChoice.WEEKLY:
        values["summarized_on"] = last_summary_day(member.district.time_zone, now)
    Member.objects.filter(pk=member.pk).update(**values)
