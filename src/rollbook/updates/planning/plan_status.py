"""What is to be said about the plan of an update besides its state."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from rollbook.accounts.models import Member
from rollbook.updates.feed.findings import Finding
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning.limits import Reason
from rollbook.updates.planning.summary import Summary


@dataclass(frozen=True)
class PlanStatus:
    """The plan of an update, and what was decided about it.

    Attributes:
        is_check: Whether it is a dry run.
        digest: Its digest.
        summary: What it would do.
        reasons: The limits that it exceeds.
        planned_at: Since when it waits or has waited; None: it was applied immediately.
        apply_at: When it may be applied; None: when a person has approved it.
        discard_at: When it is discarded if nobody has decided.
        decided_by: Who approved or discarded it; None: the operator, or nobody.
        decided_at: When; None: nobody has.
        decision_note: Why.
        left_out_schools: SCHOOL_IDs of schools whose rows are left out.
        discard_reason: See ``UpdateJob.discard_reason``.
        replaced_by: The number of the update that replaced it.
        findings: What looks wrong with the file, with the fixes that are known.
    """

    is_check: bool
    digest: str
    summary: Summary
    reasons: tuple[Reason, ...]
    planned_at: datetime | None
    apply_at: datetime | None
    discard_at: datetime | None
    decided_by: Member | None
    decided_at: datetime | None
    decision_note: str
    left_out_schools: tuple[str, ...]
    discard_reason: str
    replaced_by: int | None
    findings: tuple[Finding, ...] = ()

    @property
    def is_scheduled(self) -> bool:
        """Whether it waits or has waited for its time, and nobody needs to approve it."""
        return self.apply_at is not None and self.decided_at is None

    @classmethod
    def of(cls, update: UpdateJob) -> Self | None:
        """Return the plan of an update; None if its rows haven't been judged."""
        if update.summary is None:
            return None
        replaced_by = update.replaced_by
        return cls(
            is_check=update.is_check,
            digest=update.plan_digest,
            summary=Summary.from_json(update.summary),
            reasons=tuple(map(Reason.from_json, update.reasons or ())),
            planned_at=update.planned_at,
            apply_at=update.apply_at,
            discard_at=update.discard_at,
            decided_by=update.decided_by,
            decided_at=update.decided_at,
            decision_note=update.decision_note,
            left_out_schools=tuple(update.left_out_schools or ()),
            discard_reason=update.discard_reason,
            replaced_by=replaced_by.number if replaced_by else None,
            findings=tuple(map(Finding.from_json, update.findings or ())),
        )
