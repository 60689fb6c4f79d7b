"""Save, find and remove the column mappings of a district."""

from datetime import datetime

from django.db import transaction
from django.db.models import OuterRef, Subquery

from rollbook.accounts import notices
from rollbook.accounts.models import Member
from rollbook.accounts.notices import Notice
from rollbook.districts.models import District
from rollbook.studentfile.mapping.mapping import MappingDocument
from rollbook.updates.mappings.models import ColumnMapping
from rollbook.validation import ValidationFailed

MAX_MAPPINGS = 20
"""Mappings of a district, without removed ones."""

MAX_VERSIONS = 200
"""Versions of one mapping."""

ACTION = "change column mapping"
"""The action in the audit log."""

ONE_FILE = "this-file"
"""The name of mappings that each apply to one file only. They are removed as soon as they exist."""


def find_all(district_id: int) -> list[ColumnMapping]:
    """Return the latest version of each mapping that isn't removed, by name."""
    same = ColumnMapping.objects.filter(district=OuterRef("district"), name=OuterRef("name"))
    newest = Subquery(same.order_by("-version").values("version")[:1])
    stored = ColumnMapping.objects.filter(district=district_id, version=newest)
    found = stored.select_related("member").order_by("name")
    return [each for each in found if each.document is not None]


def find(district_id: int, name: str, version: int | None = None) -> ColumnMapping | None:
    """Return a version of a mapping, or its latest one; None if it doesn't exist or is removed."""
    stored = ColumnMapping.objects.filter(district=district_id, name=name)
    if version is not None:
        stored = stored.filter(version=version)
    found = stored.select_related("member").order_by("-version").first()
    return found if found and found.document is not None else None


def versions(district_id: int, name: str, count: int) -> list[ColumnMapping]:
    """Return the latest versions of a mapping, newest first."""
    stored = ColumnMapping.objects.filter(district=district_id, name=name)
    return list(stored.select_related("member").order_by("-version")[:count])


def save(
    district: District, mapping: MappingDocument, by: Member | None, now: datetime
) -> ColumnMapping | None:
    """Save a mapping as a new version, and notify the other district managers.

    Args:
        district: The district.
        mapping: The mapping, whose version doesn't matter.
        by: Who saves it; None: the operator.
        now: The present time.

    Returns:
        The version; None if the latest one is the same.

    Raises:
        ValidationFailed: The district has too many mappings, or the mapping too many versions.
    """
    if mapping.name == ONE_FILE:
        raise ValidationFailed([f"the name {ONE_FILE} is reserved; choose another one"])
    with transaction.atomic():
        current, latest = _lock(district, mapping.name)
        document = mapping.as_version(0).as_json()
        if current and current.document == document:
            return None
        if current is None and len(find_all(district.pk)) >= MAX_MAPPINGS:
            raise ValidationFailed(
                [f"a district can have {MAX_MAPPINGS} column mappings; remove one first"]
            )
        return _insert(district, mapping.name, latest, document, by, now)


def save_for_one_file(
    district: District, mapping: MappingDocument, by: Member, now: datetime
) -> ColumnMapping:
    """Save a mapping that applies to no other file, and return it; nobody is notified.

    It is removed in the same transaction, so that it's kept with the file that refers to it, and
    isn't found for others, also not by an older version of Rollbook.
    """
    document = mapping.as_version(0, ONE_FILE).as_json()
    with transaction.atomic():
        _, latest = _lock(district, ONE_FILE)
        stored = ColumnMapping.objects.filter(district=district, name=ONE_FILE)
        last = stored.exclude(document=None).order_by("-version").first()
        if last and last.document == document:
            return last
        saved = _create(district, ONE_FILE, latest + 1, document, by, now)
        _create(district, ONE_FILE, latest + 2, None, by, now)
    return saved


def remove(district: District, name: str, by: Member | None, now: datetime) -> ColumnMapping | None:
    """Remove a mapping, which keeps its versions; return None if there is none."""
    with transaction.atomic():
        current, latest = _lock(district, name)
        return _insert(district, name, latest, None, by, now) if current else None


def _lock(district: District, name: str) -> tuple[ColumnMapping | None, int]:
    """Lock the district; return the mapping that applies, and the number of its last version."""
    District.objects.select_for_update(no_key=True).get(pk=district.pk)
    stored = ColumnMapping.objects.filter(district=district, name=name)
    last = stored.order_by("-version").first()
    return find(district.pk, name), last.version if last else 0


def _insert(
    district: District,
    name: str,
    latest: int,
    document: dict[str, object] | None,
    by: Member | None,
    now: datetime,
) -> ColumnMapping:
    if latest >= MAX_VERSIONS:
        raise ValidationFailed(
            [f"a column mapping can have {MAX_VERSIONS} versions; save it under another name"]
        )
    saved = _create(district, name, latest + 1, document, by, now)
    detail = f"column mapping {name}, version {saved.version}"
    if document is None:
        detail = f"column mapping {name} removed"
    notices.notify_managers(Notice.SETTINGS_CHANGED, now, district, by=by, detail=detail)
    return saved


def _create(
    district: District,
    name: str,
    version: int,
    document: dict[str, object] | None,
    by: Member | None,
    now: datetime,
) -> ColumnMapping:
    return ColumnMapping.objects.create(
        district=district, name=name, version=version, document=document, member=by, created_at=now
    )
