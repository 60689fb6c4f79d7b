"""The outcomes of staged rows, which are determined only here."""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Case, F, Q, Value, When

from rollbook.updates.state_machine import Outcome

if TYPE_CHECKING:
    from rollbook.updates import models as updates


FIRST_WITHOUT_LINE = 1_000_000_000
"""From this line on, staged rows are in no file: they deactivate students who are missing."""

ORDER_WITHOUT_LINE = 1 << 42
"""Their ``apply_order`` starts here, after that of all rows of the file."""

_OF_FILE = Q(line__lt=FIRST_WITHOUT_LINE)


class StagedRowQuerySet(models.QuerySet["updates.StagedRow"]):
    """Staged rows and their outcomes.

    A row that was applied as staged has no ``outcome`` of its own. It counts as updated or added
    once the update's ``applied_through_order`` has reached its ``apply_order``.
    """

    def with_outcome(self, update: "updates.UpdateJob | None" = None) -> Self:
        """Annotate ``effective_outcome``; it is null for a row that has not been applied.

        Args:
            update: The update of all these rows if there is only one, which saves a join.
        """
        applied_through_order: F | Value = F("update__applied_through_order")
        if update is not None:
            applied_through_order = Value(update.applied_through_order)
        conditions = _outcome_conditions(applied_through_order)
        cases = [When(condition, then=Value(outcome)) for outcome, condition in conditions.items()]
        outcome = Case(*cases, default=Value(None), output_field=models.CharField())
        return self.annotate(effective_outcome=outcome)

    def with_effective_outcome(self, outcome: Outcome, update: "updates.UpdateJob") -> Self:
        """Keep the update's rows with this effective outcome, by conditions that use indexes."""
        return self.filter(
            _outcome_conditions(update.applied_through_order)[outcome], update=update
        )

    def rejected(self) -> Self:
        """Keep rejected rows, of all updates."""
        return self.filter(outcome=Outcome.REJECTED)

    def except_unchanged(self) -> Self:
        """Leave out the few staged rows that turned out to be unchanged, and those of no file."""
        return self.filter(_OF_FILE).exclude(outcome=Outcome.UNCHANGED)

    def unapplied(self, update: "updates.UpdateJob") -> Self:
        """Keep the update's rows of the file that are not applied yet, or were not processed."""
        return self.filter(
            _OF_FILE, outcome=None, apply_order__gt=update.applied_through_order, update=update
        )

    def without_own_outcome(self) -> Self:
        """Keep rows of the file without an outcome of their own."""
        return self.filter(_OF_FILE, outcome=None)


def _outcome_conditions(applied_through_order: int | F | Value) -> dict[Outcome, Q]:
    """Return the condition of each outcome."""
    applied = Q(outcome=None, apply_order__lte=applied_through_order)
    return {
        Outcome.UPDATED: Q(outcome=Outcome.UPDATED)
        | (applied & Q(student__isnull=False) & _OF_FILE),
        Outcome.ADDED: Q(outcome=Outcome.ADDED) | (applied & Q(student__isnull=True)),
        Outcome.UNCHANGED: Q(outcome=Outcome.UNCHANGED),
        Outcome.REJECTED: Q(outcome=Outcome.REJECTED),
        Outcome.LEFT_OUT: Q(outcome=Outcome.LEFT_OUT) & _OF_FILE,
        Outcome.DEACTIVATED: applied & Q(line__gte=FIRST_WITHOUT_LINE),
    }
