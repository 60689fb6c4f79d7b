"""A read-only table on the operators' site; viewing it is recorded in the audit."""

from operator import attrgetter
from typing import Any

from django.contrib.admin import ModelAdmin
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse

from rollbook.districts.models import District
from rollbook.web.operators import one_time_login

FILTER_ENDINGS = ("__exact", "__id", "__isnull")
"""What Django's filters add to the name of their field in an address."""


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[type-arg]  # it takes no argument when it runs
    """A read-only table.

    Attributes:
        district_path: The path from a row to its district, as in ``school.district``; empty if the
            rows belong to no district.
    """

    actions = None
    list_per_page = 50
    show_full_result_count = False
    district_path = "district"

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Allow signed-in operators to see the table in the index."""
        return one_time_login.is_operator(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Allow signed-in operators to view rows."""
        return one_time_login.is_operator(request)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse to add rows."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse to change rows."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse to delete rows."""
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a page of the list, and record it in the audit of each district on the page."""
        response = super().changelist_view(request, extra_context)
        page = (getattr(response, "context_data", None) or {}).get("cl")
        if page:
            detail = f"list of {self.opts.verbose_name_plural}"
            districts = {self._district_of(row) for row in page.result_list} or {None}
            for district in sorted(districts, key=_id_or_zero):
                one_time_login.audit(request, "seen", detail, district)
        return response

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Show a row, and record it in the audit of its district."""
        row = kwargs.get("obj")
        if row:
            one_time_login.audit(
                request, "seen", f"{self.opts.verbose_name} {row.pk}", self._district_of(row)
            )
        return super().render_change_form(request, context, *args, **kwargs)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Allow only the filters of the list in the address.

        Django allows every column, so that somebody could guess what isn't shown, bit by bit.
        """
        field = lookup
        for ending in FILTER_ENDINGS:
            field = field.removesuffix(ending)
        return field in self.list_filter

    def history_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Respond with 404: the audit has the history."""
        raise Http404

    def _district_of(self, row: Model) -> District | None:
        if not self.district_path:
            return None
        district: District | None = attrgetter(self.district_path)(row)
        return district


def _id_or_zero(district: District | None) -> int:
    return district.pk if district else 0
