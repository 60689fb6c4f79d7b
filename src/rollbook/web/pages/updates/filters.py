"""Filter and page the updates of a district."""

from collections.abc import Mapping
from typing import Any

from django import forms

from rollbook.districts.models import District
from rollbook.pagination import Page, get_page
from rollbook.updates.models import UpdateJob
from rollbook.updates.reporting.history import OPERATOR, list_updates, starters
from rollbook.updates.reporting.state_words import STATES
from rollbook.updates.state_machine import State
from rollbook.web.pages.base.filters import FilterForm, date_field

PAGE_SIZE = 50


_STATE_CHOICES = [(str(state), words.word) for state, words in STATES.items()]


class Filters(FilterForm):
    """The filters of the list of updates; every field may be left blank."""

    state = forms.ChoiceField(
        required=False,
        choices=[("", "All states"), *_STATE_CHOICES],
    )
    who = forms.TypedChoiceField(label="Started by", required=False, coerce=int, empty_value=None)
    since = date_field("From")
    until = date_field("Until")
    errors_only = forms.BooleanField(label="With errors only", required=False)

    def __init__(self, data: Mapping[str, Any], district: District) -> None:
        super().__init__(data)
        who: Any = self.fields["who"]
        members = [(str(member.pk), member.name) for member in starters(district)]
        administrator = (str(OPERATOR), "Rollbook administrator")
        who.choices = [("", "Everyone"), *members, administrator]


def search(district: District, filters: Filters, number: int) -> Page[UpdateJob]:
    """Return page ``number`` of the updates, the latest first; none if a filter is invalid."""
    if not filters.is_valid():
        return get_page(0, number, PAGE_SIZE, lambda first, last: [])
    values = filters.cleaned_data
    state = State(values["state"]) if values["state"] else None
    return list_updates(
        district,
        state=state,
        who=values["who"],
        since=values["since"],
        until=values["until"],
        with_errors=values["errors_only"] or None,
        page=number,
        size=PAGE_SIZE,
    )
