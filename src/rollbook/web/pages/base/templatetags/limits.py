"""A template tag that says which changes are expected now."""

from typing import Any

from django import template

from rollbook.accounts.permissions import Permission
from rollbook.updates.planning import expectations, limit_sets
from rollbook.web.pages.base.view import PageRequest

register = template.Library()


@register.inclusion_tag("parts/expected_changes.html", takes_context=True)
def expected_changes(context: template.Context) -> dict[str, Any]:
    """Render a notice for each expectation that is active, for those who update students."""
    page_request: PageRequest = context["page_request"]
    if not page_request.may(Permission.UPDATE_STUDENTS, Permission.MANAGE_SETTINGS):
        return {}
    active = limit_sets.find_expectations(page_request.district.pk, page_request.now)
    return {
        "expected": [expectations.describe(each) for each in active],
        "can_end": page_request.may(Permission.MANAGE_SETTINGS),
    }
