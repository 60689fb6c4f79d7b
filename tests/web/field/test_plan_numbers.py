"""For every file from the field, the button of the plan has the numbers of the update."""

import pytest
from django.db import transaction
from django.utils import timezone

from rollbook.accounts.models import Member
from rollbook.updates.planning import decisions
from rollbook.updates.planning.decisions import Decider
from rollbook.updates.planning.plan_status import PlanStatus
from rollbook.updates.planning.summary import Counts
from rollbook.updates.receiving import drafts
from rollbook.updates.state_machine import Mode, State
from rollbook.web.pages.plan.plan_words import effect
from tests import depth
from tests.updates import night
from tests.web.field.cases import FieldCase, all_cases
from tests.web.field.test_field import alder_once, sender

__all__ = ["alder_once", "sender"]

pytestmark = pytest.mark.django_db


def test_the_button_has_the_numbers_of_the_update_that_follows(
    sender: Member,
) -> None:
    outcomes = {}
    for case in depth.sample(all_cases(), "plans of files from the field", daily=40):
        before = transaction.savepoint()
        outcomes[str(case)] = _plan_and_outcome(case, sender)
        transaction.savepoint_rollback(before)
    assert {name: each for name, each in outcomes.items() if each[0] != each[1]} == {}
    buttons = {button for button, _ in outcomes.values()}
    assert len(buttons) > 2
    assert "" in buttons  # a refused file, or one that changes nothing


def _plan_and_outcome(case: FieldCase, sender: Member) -> tuple[str, str]:
    """Check the file as the browser does, and apply the plan; return both in the button's words."""
    fields = dict(case.fields)
    draft = drafts.create_draft(
        sender,
        night.incoming(case.content),
        file_name="students.csv",
        encoding=fields.get("encoding", ""),
        now=timezone.now(),
    )
    mode = Mode(fields.get("mode", Mode.UPDATE))
    update = drafts.submit_draft(draft, mode, is_check=True).update
    if night.finish(update).state is State.REFUSED:
        return "", ""
    update.refresh_from_db()
    plan = PlanStatus.of(update)
    assert plan
    button = effect(plan.summary.district)
    by, now = Decider(sender), timezone.now()
    decisions.approve(update.district, update.number, plan.digest, by, now)
    result = night.finish(update)
    assert result.state is State.COMPLETED
    assert (result.left_out, result.not_processed) == (0, 0)
    return button, effect(Counts(changed=result.updated, added=result.added))
