"""Expect changes for a while, and end that."""

from django.db import transaction
from django.http import HttpResponse

from rollbook.accounts.permissions import Permission
from rollbook.updates.planning import expectations, limit_sets
from rollbook.web.pages.account.confirmation import confirmed
from rollbook.web.pages.base.view import POST, PageRequest, member_page
from rollbook.web.pages.limits.forms import ExpectForm
from rollbook.web.pages.limits.index_page import render_index


@member_page(Permission.MANAGE_SETTINGS, methods=POST)
@confirmed
def expect(page_request: PageRequest) -> HttpResponse:
    """Expect changes."""
    district, now = page_request.district, page_request.now
    form = ExpectForm(district, now, page_request.form_data)
    if form.is_valid():
        with form.collect_reasons(), transaction.atomic():
            stored = expectations.expect(district, form.wanted(), page_request.member, now)
            words = expectations.describe(stored)
            page_request.audit(expectations.ACTION, "ok", words)
            page_request.success(f"Changes expected: {words}.")
            return page_request.redirect("limits")
    return render_index(page_request, limit_sets.find_current(district.pk), form)


@member_page(Permission.MANAGE_SETTINGS, methods=POST)
def end(page_request: PageRequest, key: int) -> HttpResponse:
    """End an expectation before its time."""
    with transaction.atomic():
        ended = expectations.end(page_request.district, key, page_request.now)
        if ended:
            words = expectations.describe(ended)
            page_request.audit(expectations.END_ACTION, "ok", words)
            page_request.success(f"No longer expected: {words}.")
    page_request.require(ended, expectations.END_ACTION, f"expectation {key}")
    return page_request.redirect("limits")
