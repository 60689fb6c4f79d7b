"""Helpers for tests of undoing an update."""

from django.utils import timezone

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning import decisions
from rollbook.updates.planning.decisions import Decider
from rollbook.updates.reporting.report import Report
from rollbook.updates.state_machine import State
from rollbook.updates.undoing import start
from tests.updates.night import finish, report_of


def plan_undo(district: District, number: int, member: Member | None = None) -> UpdateJob:
    """Return the update that undoes another one, with a plan that waits."""
    update = start.start(district, number, member, "rollbook", timezone.now())
    assert finish(update).state is State.CHECKED
    update.refresh_from_db()
    return update


def approve(update: UpdateJob) -> None:
    """Approve the plan of an update."""
    now, digest = timezone.now(), update.plan_digest
    decisions.approve(update.district, update.number, digest, Decider(None), now)


def undo(district: District, number: int) -> Report:
    """Undo an update, and return the report of the one that does it."""
    update = plan_undo(district, number)
    approve(update)
    finish(update)
    return report_of(update)
