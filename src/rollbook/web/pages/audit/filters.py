"""Which events the audit shows: what was asked for, out of those of the district, a page at a time."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import QuerySet

from rollbook.accounts.models import AuditEvent, Member
from rollbook.districts.models import District
from rollbook.pagination import Page, page_of_query
from rollbook.web.pages.base.filters import FilterForm, day

PAGE_SIZE = 50


class Filters(FilterForm):
    """What the audit can be narrowed to; every field may be left blank."""

    who = forms.ModelChoiceField(Member.objects.none(), required=False, empty_label="Everybody")
    action = forms.CharField(label="What", required=False)
    since = day("From")
    until = day("Until")

    def __init__(self, sent: Mapping[str, Any], district: District) -> None:
        super().__init__(sent)
        who: Any = self.fields["who"]
        who.queryset = Member.objects.filter(district=district).order_by("email")
        self._district = district

    def events(self) -> "QuerySet[AuditEvent]":
        """The events that are asked for, the latest first; none if a filter cannot be understood."""
        events = (
            AuditEvent.objects.filter(district=self._district)
            .select_related("member")
            .order_by("-at", "-pk")
        )
        if not self.is_valid():
            return events.none()
        wanted = self.cleaned_data
        if wanted["who"]:
            events = events.filter(member=wanted["who"])
        if wanted["action"]:
            events = events.filter(action__icontains=wanted["action"].replace("\0", ""))
        if wanted["since"]:
            events = events.filter(at__gte=self._begin_of(wanted["since"]))
        if wanted["until"]:
            events = events.filter(at__lt=self._begin_of(wanted["until"] + timedelta(days=1)))
        return events

    def _begin_of(self, day: date) -> datetime:
        return datetime.combine(day, time(), ZoneInfo(self._district.time_zone))


def search(filters: Filters, number: int) -> Page[AuditEvent]:
    """Page ``number`` of the events."""
    return page_of_query(filters.events(), number, PAGE_SIZE)
