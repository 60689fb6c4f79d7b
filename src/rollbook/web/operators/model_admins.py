"""What operators see, and the one thing that they can change there; each look at it is in the audit.

There is no student, row, problem or change among it: who has to see a child's record has `rollbook student show`. No
table of passwords, codes, tokens and sessions is, and of members nothing that is secret.
"""

from operator import attrgetter
from typing import Any

from django import forms
from django.contrib.admin import ModelAdmin
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse

from rollbook.accounts.models import AccountMail, AuditEvent, AuditSeal, Member, Role
from rollbook.districts.models import District, School
from rollbook.students.models import Group
from rollbook.updates.models import ResultMail, UpdateJob
from rollbook.web.operators import one_time_login
from rollbook.web.operators.site import site


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[type-arg]  # it takes no argument when it runs
    """A table to look at. ``whose`` is the way from one of its rows to the district; none: it is of no district."""

    actions = None
    list_per_page = 50
    show_full_result_count = False
    whose = "district"

    def has_module_permission(self, request: HttpRequest) -> bool:
        return one_time_login.is_in(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return one_time_login.is_in(request)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A page of the list, noted with every district of which a row is on it."""
        answer = super().changelist_view(request, extra_context)
        page = (getattr(answer, "context_data", None) or {}).get("cl")
        if page:
            districts = {self._district_of(row) for row in page.result_list} or {None}
            for district in sorted(districts, key=lambda each: each.pk if each else 0):
                one_time_login.note(
                    request, "seen", f"list of {self.opts.verbose_name_plural}", district
                )
        return answer

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """One row, noted with its district."""
        row = kwargs.get("obj")
        if row:
            one_time_login.note(
                request, "seen", f"{self.opts.verbose_name} {row.pk}", self._district_of(row)
            )
        return super().render_change_form(request, context, *args, **kwargs)

    def history_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """The history is in the audit."""
        raise Http404

    def _district_of(self, row: Model) -> District | None:
        found: District | None = attrgetter(self.whose)(row) if self.whose else None
        return found


class DistrictName(forms.ModelForm):  # type: ignore[type-arg]
    """It goes into mail headers and log lines."""

    def clean_name(self) -> str:
        name = " ".join(str(self.cleaned_data["name"]).split())
        if not (name and name.isprintable()):
            raise forms.ValidationError(
                "The name is missing, or has characters that cannot be printed."
            )
        return name


class Districts(ReadOnlyAdmin):
    """Their name can be changed: no history hangs on it. All else they settle for themselves."""

    form = DistrictName
    list_display = ("slug", "name", "time_zone", "encoding")
    search_fields = ("slug", "name")
    fields = (
        "name",
        "slug",
        "time_zone",
        "encoding",
        "requires_second_factor",
        "files_kept_days",
        "details_kept_days",
        "audit_kept_years",
    )
    readonly_fields = fields[1:]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return one_time_login.is_in(request)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """The name alone: somebody may change the settings in this moment."""
        District.objects.filter(pk=obj.pk).update(name=obj.name)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Into our audit, and into no other."""
        one_time_login.note(request, "changed", "name of the district", obj)

    def message_user(self, *args: Any, **kwargs: Any) -> None:
        """The list says it."""

    def _district_of(self, row: Any) -> District | None:
        district: District = row
        return district


class Schools(ReadOnlyAdmin):
    list_display = ("name", "organization_id", "district")
    list_filter = ("district",)
    list_select_related = ("district",)
    search_fields = ("name", "organization_id")
    fields = ("district", "organization_id", "name")


class Groups(ReadOnlyAdmin):
    list_display = ("name", "school")
    list_filter = ("school__district",)
    list_select_related = ("school__district",)
    search_fields = ("name",)
    fields = ("school", "name")
    whose = "school.district"


class Roles(ReadOnlyAdmin):
    list_display = ("name", "type", "is_standard", "district")
    list_filter = ("district", "type")
    list_select_related = ("district",)
    fields = ("district", "type", "name", "description", "permissions", "is_standard")


class Members(ReadOnlyAdmin):
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
        "receives_results",
        "last_login",
    )


class Updates(ReadOnlyAdmin):
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
        ),
        ("problem_counts", "field_counts"),
        ("attempts_without_progress", "error_reference"),
        ("file_removed_at", "details_hidden_at", "details_removed_at"),
    )


class UpdateLetters(ReadOnlyAdmin):
    list_display = ("update", "member", "queued_at", "sent_at", "attempts", "last_error")
    list_filter = ("update__district",)
    list_select_related = ("update__district", "member")
    ordering = ("-queued_at",)
    fields = (
        "update",
        "member",
        "queued_at",
        "sent_at",
        "attempts",
        "next_attempt_at",
        "last_error",
    )
    whose = "update.district"


class StaffLetters(ReadOnlyAdmin):
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
    whose = "member.district"


class AuditEvents(ReadOnlyAdmin):
    list_display = ("at", "district", "member", "action", "result", "detail", "address", "seal")
    list_filter = ("district",)
    list_select_related = ("district", "member", "seal")
    search_fields = ("action",)
    ordering = ("-at",)
    fields = ("at", "district", "member", "action", "result", "detail", "address", "agent", "seal")


class AuditSeals(ReadOnlyAdmin):
    list_display = ("number", "at", "events", "removed_events")
    ordering = ("-number",)
    fields = ("number", "at", "events", "removed_events", "digest", "remaining_digest")
    whose = ""


for _model, _table in (
    (District, Districts),
    (School, Schools),
    (Group, Groups),
    (Role, Roles),
    (Member, Members),
    (UpdateJob, Updates),
    (ResultMail, UpdateLetters),
    (AccountMail, StaffLetters),
    (AuditEvent, AuditEvents),
    (AuditSeal, AuditSeals),
):
    site.register(_model, _table)
