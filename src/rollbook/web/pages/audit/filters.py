"""Filters of the audit page."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet

from rollbook.accounts.models import AuditEvent, Member
from rollbook.districts.local_dates import local_midnight
from rollbook.districts.models import District
from rollbook.pagination import Page, get_query_page
from rollbook.web.pages.base.filters import FilterForm, date_field

PAGE_SIZE = 50


class Filters(FilterForm):
    """The filters of the audit page; every field can be left blank."""

    who = forms.ModelChoiceField(Member.objects.none(), required=False, empty_label="Everyone")
    action = forms.CharField(label="Action", required=False)
    since = date_field("From")
    until = date_field("Until")

    def __init__(self, sent: Mapping[str, Any], district: District) -> None:
        super().__init__(sent)
        who: Any = self.fields["who"]
        who.queryset = Member.objects.filter(district=district).order_by("email")
        self._district = district

    def events(self) -> "QuerySet[AuditEvent]":
        """Return the matching events, latest first; none if a filter is invalid."""
        events = AuditEvent.objects.filter(district=self._district)
        events = events.select_related("member").order_by("-at", "-pk")
        if not self.is_valid():
            return events.none()
        values = self.cleaned_data
        if values["who"]:
            events = events.filter(member=values["who"])
        if values["action"]:
            events = events.filter(action__icontains=values["action"].replace("\0", ""))
        if values["since"]:
            events = events.filter(at__gte=local_midnight(self._district, values["since"]))
        if values["until"]:
            end = local_midnight(self._district, values["until"] + timedelta(days=1))
            events = events.filter(at__lt=end)
        return events


def search(filters: Filters, number: int) -> Page[AuditEvent]:
    """Return a page of the matching events.

    Args:
        filters: The filters that the user has set.
        number: The number of the page, from 1.
    """
    return get_query_page(filters.events(), number, PAGE_SIZE)
