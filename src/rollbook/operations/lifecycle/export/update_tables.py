"""The tables of the export about updates, their plans, and the limits that judge them."""

from collections.abc import Iterator
from typing import Any

from rollbook.districts.models import District
from rollbook.operations.lifecycle.export.table import ROWS_PER_QUERY, Row, Table, timestamp
from rollbook.updates.models import ColumnMapping, Expectation, LimitSet, UpdateEvent, UpdateJob
from rollbook.updates.planning.limits import Reason
from rollbook.updates.planning.reason_words import reason_sentence

_UPDATE_TIMES = ("received_at", "started_at", "applying_at", "ended_at", "file_removed_at")


def _updates(district: District) -> Iterator[Row]:
    updates = UpdateJob.objects.filter(district=district).select_related(
        "member", "corrects", "limit_set", "decided_by", "replaced_by", "mapping", "undoes"
    )
    for update in updates.order_by("number").iterator(ROWS_PER_QUERY):
        yield [
            update.number,
            update.state,
            update.mode,
            update.source,
            update.member.email if update.member else None,
            update.corrects.number if update.corrects else None,
            update.file_name,
            update.file_size,
            update.file_digest,
            update.detected_encoding,
            *(timestamp(getattr(update, name)) for name in _UPDATE_TIMES),
            update.rows,
            update.rows_updated,
            update.rows_added,
            update.rows_unchanged,
            update.rows_rejected,
            update.rows_left_out,
            update.rows_deactivated,
            update.not_processed,
            update.problem_counts,
            update.field_counts,
            update.absences,
            update.error_reference,
            *_plan(update),
        ]


def _plan(update: UpdateJob) -> Row:
    return [
        update.is_check,
        update.note,
        update.limit_set.version if update.limit_set else None,
        f"{update.mapping.name} {update.mapping.version}" if update.mapping else None,
        update.plan_digest,
        update.summary,
        _sentences(update.reasons),
        timestamp(update.planned_at),
        update.decided_by.email if update.decided_by else None,
        timestamp(update.decided_at),
        update.decision_note,
        update.left_out_schools,
        update.discard_reason,
        update.replaced_by.number if update.replaced_by else None,
        update.undoes.number if update.undoes else None,
    ]


def _sentences(reasons: list[dict[str, Any]] | None) -> list[str] | None:
    return [reason_sentence(Reason.from_json(each)) for each in reasons or ()] or None


def _update_events(district: District) -> Iterator[Row]:
    events = UpdateEvent.objects.filter(update__district=district)
    events = events.select_related("update", "member").order_by("update__number", "pk")
    for event in events.iterator(ROWS_PER_QUERY):
        email = event.member.email if event.member else None
        yield [event.update.number, event.state, timestamp(event.at), email]


def _limits(district: District) -> Iterator[Row]:
    versions = LimitSet.objects.filter(district=district).select_related("member")
    for limits in versions.order_by("version").iterator(ROWS_PER_QUERY):
        email = limits.member.email if limits.member else None
        yield [limits.version, limits.document, email, timestamp(limits.created_at)]


def _mappings(district: District) -> Iterator[Row]:
    versions = ColumnMapping.objects.filter(district=district).select_related("member")
    for mapping in versions.order_by("name", "version").iterator(ROWS_PER_QUERY):
        email = mapping.member.email if mapping.member else None
        saved = [email, timestamp(mapping.created_at)]
        yield [mapping.name, mapping.version, mapping.document, *saved]


def _expectations(district: District) -> Iterator[Row]:
    expectations = Expectation.objects.filter(district=district)
    expectations = expectations.select_related("member", "used_by").order_by("pk")
    for expectation in expectations.iterator(ROWS_PER_QUERY):
        yield [
            expectation.columns,
            timestamp(expectation.until),
            expectation.is_for_one_update,
            expectation.used_by.number if expectation.used_by else None,
            expectation.member.email if expectation.member else None,
            timestamp(expectation.created_at),
            timestamp(expectation.ended_at),
        ]


UPDATE_TABLES: tuple[Table, ...] = (
    Table(
        "updates",
        "The updates with their counts.",
        (
            ("number", "its number"),
            ("state", "how far it is, or how it ended"),
            (
                "mode",
                "update: existing students; add: also new ones; sync: also removes missing ones",
            ),
            ("source", "how the file was sent"),
            ("started_by", "the member who started it; none: the Rollbook administrator"),
            ("corrects", "the update whose rows the file repeats"),
            ("file_name", "the sender's name of the file"),
            ("file_size", "in bytes"),
            ("file_sha256", "of the file as it was sent"),
            ("encoding", "of the file"),
            ("received_at", "when it was received"),
            ("started_at", "when checking began"),
            ("applying_at", "when all rows had been checked"),
            ("ended_at", "when it ended"),
            ("file_removed_at", "when the file was removed; none: it is in this archive"),
            ("rows", "rows of the file"),
            ("updated", "rows that changed a student"),
            ("added", "rows that added a student"),
            ("unchanged", "rows that changed nothing"),
            ("rejected", "rows that were rejected"),
            ("left_out", "rows of schools that were left out when its plan was approved"),
            ("deactivated", "students who were deactivated because the file doesn't name them"),
            ("not_processed", "rows that were not processed before it ended"),
            ("problem_counts", "number of problems by code"),
            ("field_counts", "number of students whose value changed, by column"),
            ("absences", "whom a file in full sync doesn't name, in numbers"),
            ("error_reference", "of a failure on our side"),
            ("is_check", "whether it was a dry run"),
            ("note", "the note of who started it"),
            ("limits_version", "the version of the limits that judged it; none: the default"),
            ("column_mapping", "name and version of its column mapping; none: it has none"),
            ("plan_digest", "the digest of its plan"),
            ("summary", "what its plan would do, in numbers; kept for 400 days"),
            ("reasons", "the limits that its plan exceeded"),
            ("planned_at", "since when its plan waited"),
            ("decided_by", "the member who approved or discarded its plan"),
            ("decided_at", "when"),
            ("decision_note", "why"),
            ("left_out_schools", "School IDs of the schools that were left out"),
            ("discard_reason", "person, expired, replaced or canceled"),
            ("replaced_by", "the update that replaced it"),
            ("undoes", "the update that it undoes; such an update has no file"),
        ),
        _updates,
    ),
    Table(
        "update_events",
        "The states that updates reached of which people are notified.",
        (
            ("update", "number of the update"),
            ("state", "the state"),
            ("at", "when"),
            ("member", "the member who caused it; none: nobody"),
        ),
        _update_events,
    ),
    Table(
        "limits",
        "The versions of the limits.",
        (
            ("version", "its number"),
            ("document", "the limits, as `rollbook limits set` reads them"),
            ("saved_by", "the member who saved it; none: the Rollbook administrator"),
            ("saved_at", "when"),
        ),
        _limits,
    ),
    Table(
        "column_mappings",
        "The versions of the column mappings.",
        (
            ("name", "its name"),
            ("version", "its number"),
            ("document", "as `rollbook mapping save` reads it; none: the mapping was removed"),
            ("saved_by", "the member who saved it; none: the Rollbook administrator"),
            ("saved_at", "when"),
        ),
        _mappings,
    ),
    Table(
        "expected_changes",
        "Changes that were expected for a while.",
        (
            ("columns", "columns that could change for everyone; STUDENT_ADDED: new students"),
            ("until", "when it ended by itself"),
            ("is_for_one_update", "whether the first update used it up"),
            ("used_by", "the number of that update"),
            ("expected_by", "the member; none: the Rollbook administrator"),
            ("created_at", "since when"),
            ("ended_at", "when somebody ended it; none: nobody"),
        ),
        _expectations,
    ),
)
"""In the order of the archive."""
