"""The versions of a district's limits, and the changes that are expected for a while."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.updates.models import Expectation, LimitSet
from rollbook.updates.planning.limit_document import LimitDocument


@dataclass(frozen=True)
class CurrentLimits:
    """The limits of a district now.

    Attributes:
        limit_set: The stored version; None: the district has stored none.
        document: What it says, or the default.
    """

    limit_set: LimitSet | None
    document: LimitDocument

    @property
    def version(self) -> int:
        """The number of the stored version; 0: the district has stored none."""
        return self.limit_set.version if self.limit_set else 0


def find_current(district_id: int) -> CurrentLimits:
    """Return the latest version of a district's limits."""
    latest = LimitSet.objects.filter(district=district_id).order_by("-version").first()
    if latest is None:
        return CurrentLimits(None, LimitDocument())
    return CurrentLimits(latest, LimitDocument.from_json(latest.document))


def find_version(district_id: int, version: int) -> LimitSet | None:
    """Return a version of a district's limits; None if there is none with this number."""
    found = LimitSet.objects.filter(district=district_id, version=version)
    return found.select_related("member").first()


def latest_versions(district_id: int, count: int) -> list[LimitSet]:
    """Return the latest versions of a district's limits, newest first."""
    found = LimitSet.objects.filter(district=district_id).select_related("member")
    return list(found.order_by("-version")[:count])


def save(district: District, document: LimitDocument, by: Member | None, now: datetime) -> LimitSet:
    """Store a new version of a district's limits.

    Args:
        district: The district.
        document: The limits.
        by: Who saves them; None: the operator.
        now: The present time.
    """
    with transaction.atomic():
        District.objects.select_for_update(no_key=True).get(pk=district.pk)
        latest = LimitSet.objects.filter(district=district).order_by("-version").first()
        return LimitSet.objects.create(
            district=district,
            version=latest.version + 1 if latest else 1,
            document=document.as_json(),
            member=by,
            created_at=now,
        )


def find_expectations(district_id: int, now: datetime) -> list[Expectation]:
    """Return the expectations of a district that have not ended, oldest first."""
    unused = Q(is_for_one_update=False) | Q(used_by=None)
    current = Expectation.objects.filter(
        unused, district=district_id, until__gt=now, ended_at=None, created_at__lte=now
    )
    return list(current.order_by("pk"))
