"""Choosing which emails about updates a member gets."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from rollbook.accounts.email_choice import EmailChoice
from rollbook.accounts.members.email_choices import choose
from rollbook.accounts.models import Member
from tests.accounts.browser import NOW


def test_a_new_member_gets_every_email(manager: Member) -> None:
    assert manager.update_emails == EmailChoice.ALWAYS


def test_the_first_summary_is_that_of_the_week_of_the_choice(manager: Member) -> None:
    choose(manager, EmailChoice.WEEKLY, NOW)  # Monday, 2 AM in Maple USD
    manager.refresh_from_db()
    assert (manager.update_emails, manager.summarized_on) == ("weekly", date(2026, 11, 16))


def test_to_choose_the_same_again_repeats_no_summary(manager: Member) -> None:
    choose(manager, EmailChoice.WEEKLY, NOW)
    Member.objects.update(summarized_on=date(2026, 11, 23))
    choose(Member.objects.get(), EmailChoice.WEEKLY, NOW)
    assert Member.objects.get().summarized_on == date(2026, 11, 23)


def test_the_choice_of_others_stays(manager: Member, neighbor: Member) -> None:
    choose(manager, EmailChoice.NEEDED, NOW)
    neighbor.refresh_from_db()
    assert neighbor.update_emails == EmailChoice.ALWAYS


def test_the_database_rejects_an_unknown_choice(manager: Member) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Member.objects.update(update_emails="never")
