"""Which updates a list shows: what was asked for, out of those of the district, a page at a time."""

from collections.abc import Mapping
from typing import Any

from django import forms

from rollbook.districts.models import District
from rollbook.pagination import Page, page_of
from rollbook.updates.models import UpdateJob
from rollbook.updates.reporting.history import OPERATOR, list_updates, starters
from rollbook.updates.reporting.state_words import STATES
from rollbook.updates.state_machine import State
from rollbook.web.pages.base.filters import FilterForm, day

PAGE_SIZE = 50


class Filters(FilterForm):
    """What the list can be narrowed to; every field may be left blank."""

    state = forms.ChoiceField(
        required=False,
        choices=[("", "All states"), *((state, words.word) for state, words in STATES.items())],
    )
    who = forms.TypedChoiceField(label="Started by", required=False, coerce=int, empty_value=None)
    since = day("From")
    until = day("Until")
    errors_only = forms.BooleanField(label="With errors only", required=False)

    def __init__(self, sent: Mapping[str, Any], district: District) -> None:
        super().__init__(sent)
        who: Any = self.fields["who"]
        members = [(str(member.pk), member.name) for member in starters(district)]
        who.choices = [("", "Everybody"), *members, (str(OPERATOR), "The operator of the server")]


def search(district: District, filters: Filters, number: int) -> Page[UpdateJob]:
    """Page ``number`` of the updates, the latest first; none if a filter cannot be understood."""
    if not filters.is_valid():
        return page_of(0, number, PAGE_SIZE, lambda first, last: [])
    wanted = filters.cleaned_data
    return list_updates(
        district,
        state=State(wanted["state"]) if wanted["state"] else None,
        who=wanted["who"],
        since=wanted["since"],
        until=wanted["until"],
        with_errors=True if wanted["errors_only"] else None,
        page=number,
        size=PAGE_SIZE,
    )
