"""Find who saw a student in a range of days, for the page of the student."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from rollbook.accounts.audit.disclosures import who_saw
from rollbook.accounts.models import AuditEvent
from rollbook.districts.local_dates import local_date, local_midnight
from rollbook.districts.models import District
from rollbook.pagination import Page, get_page
from rollbook.web.pages.base.filters import FilterForm, date_field

PAGE_SIZE = 50
DAYS_BY_DEFAULT = 90
"""All events of these days are searched, which takes a while for several years."""


class Days(FilterForm):
    """The days to search; from 90 days ago if the first is left blank."""

    since = date_field("From")
    until = date_field("Until")

    def __init__(self, sent: Mapping[str, Any], district: District, now: datetime) -> None:
        super().__init__(sent)
        self._district = district
        self._first_day = local_date(district, now) - timedelta(days=DAYS_BY_DEFAULT)

    @property
    def first_day(self) -> date:
        """The first day that is searched."""
        return self.cleaned_data["since"] or self._first_day

    def events(self, student: int, number: int) -> Page[AuditEvent]:
        """Return a page of the events that showed a student, the latest first."""
        if not self.is_valid():
            return get_page(0, number, PAGE_SIZE, lambda first, last: [])
        until = self.cleaned_data["until"]
        end = local_midnight(self._district, until + timedelta(days=1)) if until else None
        begin = local_midnight(self._district, self.first_day)
        found = list(who_saw(self._district, student, begin, end))
        return get_page(len(found), number, PAGE_SIZE, lambda first, last: found[first:last])
