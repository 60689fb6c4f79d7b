"""Show and set when files are expected, and add and remove pauses."""

from collections.abc import Mapping

from django.http import HttpResponse
from django.shortcuts import resolve_url

from rollbook.accounts.permissions import Permission
from rollbook.districts import schedules
from rollbook.districts.concurrent_edits import based_on
from rollbook.districts.file_schedule import Pause
from rollbook.districts.models import District
from rollbook.text import format_date
from rollbook.updates import missing_files
from rollbook.web.pages.base.questions import Question, ask
from rollbook.web.pages.base.view import FORM, POST, PageRequest, member_page
from rollbook.web.pages.expected_files.forms import (
    ExpectedFilesForm,
    PauseForm,
    RemovePauseForm,
    initial,
)


@member_page(Permission.MANAGE_SETTINGS, methods=FORM)
def index(page_request: PageRequest) -> HttpResponse:
    """Show when files are expected, and change it."""
    district = page_request.district
    form = ExpectedFilesForm(page_request.form_data, initial=_current(district))
    if form.is_valid():
        with form.collect_reasons(), based_on(form.base_version, district, _current):
            wanted = form.settings()
            if schedules.save(district, wanted, page_request.now):
                page_request.audit("set expected files", "ok", str(wanted))
                page_request.success("Expected files saved.")
            else:
                page_request.success("Nothing was changed.")
            return page_request.redirect("expected-files")
    return _render(page_request, form)


@member_page(Permission.MANAGE_SETTINGS, methods=POST)
def add_pause(page_request: PageRequest) -> HttpResponse:
    """Add a pause."""
    form = PauseForm(page_request.form_data)
    if form.is_valid():
        pause = form.pause()
        with form.collect_reasons("first"):
            schedules.add_pause(page_request.district, pause, page_request.now)
            days = f"{format_date(pause.first)} to {format_date(pause.last)}"
            page_request.audit("add pause", "ok", f"{pause.first} to {pause.last}")
            page_request.success(f"Pause added: {days}.")
            return page_request.redirect("expected-files")
    return _render(page_request, form, {"pausing": form})


@member_page(Permission.MANAGE_SETTINGS, methods=POST)
def remove_pause(page_request: PageRequest) -> HttpResponse:
    """Remove a pause, once the member has confirmed it."""
    form = RemovePauseForm(page_request.form_data)
    first = form.cleaned_data["first"] if form.is_valid() else None
    found = {pause.first: pause for pause in schedules.pauses_of(page_request.district)}
    if first in found and (page := ask(page_request, _before_removal(found[first]))):
        return page
    pause = schedules.remove_pause(page_request.district, first) if first else None
    if pause is None:
        page_request.audit("remove pause", "not found")
        page_request.error("There is no such pause; it may have been removed already.")
        return page_request.redirect("expected-files")
    page_request.audit("remove pause", "ok", f"{pause.first} to {pause.last}")
    page_request.success(f"Pause from {format_date(pause.first)} removed.")
    return page_request.redirect("expected-files")


def _before_removal(pause: Pause) -> Question:
    """Return the question before a pause is removed."""
    days = f"{format_date(pause.first)} to {format_date(pause.last)}"
    return Question(
        f"Remove the pause from {days}?",
        (
            "Files are expected on these days then, and an email reports each one that doesn’t "
            "arrive in time.",
        ),
        "Remove pause",
        resolve_url("expected-files"),
    )


def _current(district: District) -> dict[str, object]:
    return initial(schedules.settings_of(district))


def _render(
    page_request: PageRequest,
    form: ExpectedFilesForm | PauseForm,
    more: Mapping[str, object] | None = None,
) -> HttpResponse:
    district = page_request.district
    context = {
        "expected": ExpectedFilesForm(initial=_current(district)),
        "pausing": PauseForm(),
        "pauses": schedules.pauses_of(district),
        "status": missing_files.status(district, page_request.now),
        "told": missing_files.recipients(district),
        **(more or {}),
    }
    if isinstance(form, ExpectedFilesForm):
        context["expected"] = form
    return page_request.render_form("expected_files/index.html", form, context)
