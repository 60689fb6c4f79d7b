"""Tables on the operators' site; viewing them is recorded in the audit.

Only the name of a district can be changed. Students, rows, problems and changes aren't included:
operators use ``rollbook student show``. Neither are passwords, codes, tokens and sessions.
"""

from typing import Any

from django import forms
from django.db.models import Model
from django.http import HttpRequest

from rollbook.accounts.models import AccountMail, AuditEvent, AuditSeal, Member, Role
from rollbook.districts.models import District, School
from rollbook.operations.models import Alert, AlertMail, Destruction
from rollbook.students.models import Group
from rollbook.updates.models import (
    ColumnMapping,
    Expectation,
    LimitSet,
    ResultMail,
    UpdateEvent,
    UpdateJob,
)
from rollbook.web.operators import one_time_login
from rollbook.web.operators.read_only_admin import ReadOnlyAdmin
from rollbook.web.operators.site import site


class DistrictName(forms.ModelForm):  # type: ignore[type-arg]
    """The name of a district, which appears in email headers and log lines."""

    def clean_name(self) -> str:
        """Return the name on one line.

        Raises:
            ValidationError: If it is empty or has unprintable characters.
        """
        name = " ".join(str(self.cleaned_data["name"]).split())
        if not (name and name.isprintable()):
            raise forms.ValidationError("The name is missing or has unprintable characters.")
        return name


class Districts(ReadOnlyAdmin):
    """Districts; only the name can be changed here, the rest on the district's Settings page."""

    form = DistrictName
    list_display = ("slug", "name", "time_zone", "encoding", "suspended_at", "deleting_at")
    search_fields = ("slug", "name")
    fields = (
        "name",
        "slug",
        "time_zone",
        "encoding",
        "requires_second_factor",
        "modes",
        "absent_files",
        "absent_days",
        "files_kept_days",
        "details_kept_days",
        "audit_kept_years",
        "history_kept_days",
        "leavers_kept_days",
        "staff_kept_days",
        "suspended_at",
        "suspension_reason",
        "deleting_at",
    )
    readonly_fields = fields[1:]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Allow signed-in operators to change the name."""
        return one_time_login.is_operator(request)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """Save only the name: a member may be changing the settings at the same time."""
        District.objects.filter(pk=obj.pk).update(name=obj.name)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Record the change in our audit instead of Django's log."""
        one_time_login.audit(request, "changed", "name of the district", obj)

    def message_user(self, *args: Any, **kwargs: Any) -> None:
        """Show no message: the list shows the new name."""

    def _district_of(self, row: Any) -> District | None:
        district: District = row
        return district


class Schools(ReadOnlyAdmin):
    """Schools."""

    list_display = ("name", "organization_id", "district")
    list_filter = ("district",)
    list_select_related = ("district",)
    search_fields = ("name", "organization_id")
    fields = ("district", "organization_id", "name")


class Groups(ReadOnlyAdmin):
    """Groups."""

    list_display = ("name", "school")
    list_filter = ("school__district",)
    list_select_related = ("school__district",)
    search_fields = ("name",)
    fields = ("school", "name")
    district_path = "school.district"


class Roles(ReadOnlyAdmin):
    """Roles."""

    list_display = ("name", "type", "is_standard", "district")
    list_filter = ("district", "type")
    list_select_related = ("district",)
    fields = ("district", "type", "name", "description", "permissions", "is_standard")


class Members(ReadOnlyAdmin):
    """Members, without their passwords."""

    list_display = ("email", "last_name", "first_name", "role", "is_active", "district")
    list_filter = ("district", "is_active")
    list_select_related = ("district", "role")
    search_fields = ("email", "last_name", "first_name")
    fields = (
        "district",
        "email",
        "first_name",
        "last_name",
        "role",
        "schools",
        "is_active",
        ("added_at", "deactivated_at", "erased_at"),
        "receives_results",
        "update_emails",
        "last_login",
    )


class Updates(ReadOnlyAdmin):
    """Updates, without their rows and problems."""

    list_display = (
        "number",
        "district",
        "state",
        "received_at",
        "rows",
        "rows_updated",
        "rows_added",
        "rows_rejected",
    )
    list_filter = ("district", "state")
    list_select_related = ("district",)
    ordering = ("-received_at",)
    fields = (
        ("district", "number"),
        ("state", "mode", "source", "member", "corrects"),
        ("file_name", "file_size", "file_digest", "encoding", "detected_encoding"),
        (
            "received_at",
            "started_at",
            "applying_at",
            "progressed_at",
            "ended_at",
            "mails_queued_at",
        ),
        (
            "rows",
            "rows_read",
            "rows_staged",
            "rows_updated",
            "rows_added",
            "rows_unchanged",
            "rows_rejected",
            "rows_left_out",
            "rows_deactivated",
        ),
        ("problem_counts", "field_counts", "absences"),
        ("is_check", "limit_set", "mapping", "plan_digest", "token_key", "note"),
        ("summary", "reasons"),
        ("planned_at", "apply_at", "discard_at"),
        ("decided_by", "decided_at", "decision_note", "left_out_schools"),
        ("discard_reason", "replaced_by", "undoes"),
        ("attempts_without_progress", "error_reference"),
        ("file_removed_at", "details_hidden_at", "details_removed_at"),
    )


class UpdateEvents(ReadOnlyAdmin):
    """The states that updates reached of which people are notified."""

    list_display = ("update", "state", "at", "member", "mails_queued_at")
    list_filter = ("update__district", "state")
    list_select_related = ("update__district", "member")
    ordering = ("-at",)
    fields = ("update", "state", "at", "member", "mails_queued_at")
    district_path = "update.district"


class LimitSets(ReadOnlyAdmin):
    """The versions of the limits of districts."""

    list_display = ("district", "version", "member", "created_at")
    list_filter = ("district",)
    list_select_related = ("district", "member")
    ordering = ("-created_at",)
    fields = (("district", "version"), ("member", "created_at"), "document")


class ColumnMappings(ReadOnlyAdmin):
    """The versions of the column mappings of districts."""

    list_display = ("district", "name", "version", "member", "created_at")
    list_filter = ("district",)
    list_select_related = ("district", "member")
    ordering = ("-created_at",)
    fields = (("district", "name", "version"), ("member", "created_at"), "document")


class Expectations(ReadOnlyAdmin):
    """Changes that districts expect, or have expected."""

    list_display = ("district", "columns", "until", "is_for_one_update", "used_by", "ended_at")
    list_filter = ("district",)
    list_select_related = ("district", "used_by__district")
    ordering = ("-created_at",)
    fields = (
        "district",
        "columns",
        ("until", "is_for_one_update"),
        ("member", "created_at"),
        ("used_by", "ended_at"),
    )


class ResultMails(ReadOnlyAdmin):
    """Emails about the results of updates."""

    list_display = ("update", "member", "queued_at", "sent_at", "attempts", "last_error")
    list_filter = ("update__district",)
    list_select_related = ("update__district", "member")
    ordering = ("-queued_at",)
    fields = (
        "update",
        "event",
        "member",
        "queued_at",
        "sent_at",
        "attempts",
        "next_attempt_at",
        "last_error",
    )
    district_path = "update.district"


class AccountMails(ReadOnlyAdmin):
    """Emails about member accounts."""

    list_display = ("kind", "member", "queued_at", "sent_at", "attempts", "last_error")
    list_filter = ("member__district", "kind")
    list_select_related = ("member__district",)
    ordering = ("-queued_at",)
    fields = (
        "kind",
        "member",
        "actor",
        "queued_at",
        "sent_at",
        "attempts",
        "next_attempt_at",
        "last_error",
    )
    district_path = "member.district"


class AuditEvents(ReadOnlyAdmin):
    """Audit events."""

    list_display = ("at", "district", "member", "action", "result", "detail", "address", "seal")
    list_filter = ("district",)
    list_select_related = ("district", "member", "seal")
    search_fields = ("action",)
    ordering = ("-at",)
    fields = (
        ("at", "district", "member"),
        ("action", "result", "detail"),
        "students",
        ("address", "agent", "seal"),
    )


class AuditSeals(ReadOnlyAdmin):
    """Seals of the audit."""

    list_display = ("number", "at", "events", "removed_events")
    ordering = ("-number",)
    fields = ("number", "at", "events", "removed_events", "digest", "remaining_digest")
    district_path = ""


class Destructions(ReadOnlyAdmin):
    """Deletions of districts and erasures of students, with their certificates."""

    list_display = ("pk", "district_slug", "what", "student_key", "started_at", "finished_at")
    ordering = ("-pk",)
    fields = (
        ("district_key", "district_slug", "district_name"),
        "student_key",
        ("persons", "person_keys"),
        ("requested_by", "started_at", "finished_at"),
        "export_digest",
        "counts",
        "remaining",
        "certificate",
    )
    district_path = ""


class Alerts(ReadOnlyAdmin):
    """Alerts of the operator."""

    list_display = ("code", "state", "detail", "opened_at", "notified_at", "resolved_at")
    ordering = ("-opened_at",)
    fields = ("code", "state", "detail", "opened_at", "seen_at", "notified_at", "resolved_at")
    district_path = ""


class AlertMails(ReadOnlyAdmin):
    """Emails about alerts."""

    list_display = ("event", "to_address", "queued_at", "sent_at", "attempts", "last_error")
    ordering = ("-queued_at",)
    fields = (
        "event",
        "to_address",
        "alerts",
        "queued_at",
        "sent_at",
        "attempts",
        "next_attempt_at",
        "last_error",
    )
    district_path = ""


for _model, _model_admin in (
    (District, Districts),
    (School, Schools),
    (Group, Groups),
    (Role, Roles),
    (Member, Members),
    (UpdateJob, Updates),
    (UpdateEvent, UpdateEvents),
    (LimitSet, LimitSets),
    (ColumnMapping, ColumnMappings),
    (Expectation, Expectations),
    (ResultMail, ResultMails),
    (AccountMail, AccountMails),
    (AuditEvent, AuditEvents),
    (AuditSeal, AuditSeals),
    (Destruction, Destructions),
    (Alert, Alerts),
    (AlertMail, AlertMails),
):
    site.register(_model, _model_admin)
