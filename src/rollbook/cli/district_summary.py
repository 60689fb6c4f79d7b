"""Format the numbers of districts for ``district list`` and ``district show``."""

from collections.abc import Iterator

from rollbook.accounts.district_settings import DATE_ORDERS
from rollbook.districts.grade_codes import describe_grade_codes
from rollbook.districts.models import District
from rollbook.operations.lifecycle.summary import BEING_DELETED, DistrictSummary
from rollbook.operations.models import DistrictExport
from rollbook.text import count_of, format_number, format_timestamp
from rollbook.updates.reporting.state_words import badge_words

HEADERS = (
    "district",
    "name",
    "active",
    "inactive",
    "schools",
    "staff",
    "last update",
    "ended",
    "files",
    "state",
)
_UNITS = ("bytes", "KB", "MB", "GB")


def table_row(summary: DistrictSummary) -> tuple[str, ...]:
    """Return the cells of a district in the list."""
    district, update = summary.district, summary.last_update
    last_update = f"{update.number} {badge_words(update).word}" if update else "none"
    return (
        district.slug,
        district.name,
        format_number(summary.active_students),
        format_number(summary.inactive_students),
        format_number(summary.schools),
        format_number(summary.staff),
        last_update,
        format_timestamp(summary.last_ended_at, district.time_zone),
        format_size(summary.stored_bytes),
        state(summary),
    )


def state(summary: DistrictSummary) -> str:
    """Return the state; while the district is being deleted, with the progress."""
    if summary.state == BEING_DELETED:
        removed = format_number(summary.removed)
        command = f"rollbook district delete {summary.district.slug}"
        return f"being deleted, {removed} removed; a worker or `{command}` continues"
    return summary.state


def values(summary: DistrictSummary, export: DistrictExport | None) -> Iterator[tuple[str, str]]:
    """Yield the name and the value of each line of ``district show``."""
    district, update = summary.district, summary.last_update
    yield "state", state(summary)
    yield "suspended since", format_timestamp(district.suspended_at, district.time_zone)
    yield "reason", district.suspension_reason
    active, inactive = summary.active_students, summary.inactive_students
    yield "students", f"{active:,} active, {inactive:,} inactive"
    yield "schools", format_number(summary.schools)
    yield "staff", f"{summary.staff:,} active"
    if update:
        ended = format_timestamp(update.ended_at, district.time_zone)
        yield "last update", f"{update.number}, {badge_words(update).word} {ended}".rstrip()
    yield "unfinished updates", format_number(summary.unfinished_updates)
    size = format_size(summary.stored_bytes)
    yield "stored files", f"{count_of(summary.stored_files, 'file')}, {size}"
    if export:
        at = format_timestamp(export.exported_at, district.time_zone)
        yield "last export", f"{at}, {export.path}"
    yield from _settings(district)


def to_json(summary: DistrictSummary, export: DistrictExport | None = None) -> dict[str, object]:
    """Return the numbers of a district as a JSON object."""
    district, update = summary.district, summary.last_update
    return {
        "district": district.slug,
        "name": district.name,
        "state": summary.state,
        "suspended_at": district.suspended_at,
        "suspension_reason": district.suspension_reason,
        "deleting_since": district.deleting_at,
        "removed_so_far": summary.removed,
        "students_active": summary.active_students,
        "students_inactive": summary.inactive_students,
        "schools": summary.schools,
        "staff_active": summary.staff,
        "last_update": update.number if update else None,
        "last_update_state": update.state if update else None,
        "last_update_ended_at": summary.last_ended_at,
        "unfinished_updates": summary.unfinished_updates,
        "stored_files": summary.stored_files,
        "stored_bytes": summary.stored_bytes,
        "last_export_at": export.exported_at if export else None,
        "last_export": export.path if export else None,
        "time_zone": district.time_zone,
    }


def format_size(size: int) -> str:
    """Return a number of bytes with a unit, such as ``3.4 MB``."""
    amount, unit = float(size), _UNITS[0]
    for larger in _UNITS[1:]:
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:,.0f} {unit}" if unit == _UNITS[0] else f"{amount:,.1f} {unit}"


def _settings(district: District) -> Iterator[tuple[str, str]]:
    yield "time zone", district.time_zone
    yield "encoding", district.encoding
    yield "date order", DATE_ORDERS[district.date_order]
    yield "grade codes", describe_grade_codes(district.grade_codes)
    required = "required" if district.requires_second_factor else "not required"
    yield "two-step verification", required
    yield "files are kept", count_of(district.files_kept_days, "day")
    yield "rows and problems", count_of(district.details_kept_days, "day")
    yield "audit is kept", count_of(district.audit_kept_years, "year")
    yield "history is kept", count_of(district.history_kept_days, "day")
    yield "students who left", _days_or_off(district.leavers_kept_days)
    yield "former staff", _days_or_off(district.staff_kept_days)


def _days_or_off(days: int) -> str:
    return count_of(days, "day") if days else "not removed"
