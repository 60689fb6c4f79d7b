"""Undo an update: ask, then make a plan that somebody reviews and applies."""

from collections.abc import Iterator

from django.http import HttpResponse
from django.shortcuts import resolve_url

from rollbook.accounts.permissions import Permission
from rollbook.text import count_of, format_number, join_words, was_or_were
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving.receive import SOURCE_BROWSER, QueueFull
from rollbook.updates.reporting.field_counts import changes_by_field
from rollbook.updates.reporting.report import find
from rollbook.updates.undoing import start
from rollbook.updates.undoing.start import NotUndoable
from rollbook.web.pages.base.questions import Question, ask
from rollbook.web.pages.base.view import POST, PageRequest, member_page

_QUEUE_FULL = "Nothing was started: too many updates are waiting. Try again when one has ended."


@member_page(Permission.UPDATE_STUDENTS, methods=POST)
def undo(page_request: PageRequest, number: int) -> HttpResponse:
    """Start the update that undoes this one, after asking; its plan waits for a person."""
    found = find(page_request.district, number)
    update = page_request.require(found, "undo update", f"update {number}")
    obstacle = start.find_obstacle(update, page_request.now)
    if obstacle is None and (page := ask(page_request, _question(update))):
        return page
    try:
        started = start.start(
            page_request.district, number, page_request.member, SOURCE_BROWSER, page_request.now
        )
    except NotUndoable as refused:
        return _not_started(page_request, number, refused.code, refused.reason)
    except QueueFull:
        return _not_started(page_request, number, "queue_full", _QUEUE_FULL)
    page_request.success(f"Update {started.number} will undo update {number} once you apply it.")
    return page_request.redirect("update", started.number)


def _not_started(page_request: PageRequest, number: int, code: str, reason: str) -> HttpResponse:
    page_request.audit("undo update", code, f"update {number}")
    page_request.error(reason)
    return page_request.redirect("update", number)


def _question(update: UpdateJob) -> Question:
    return Question(
        title=f"Undo update {update.number}?",
        effects=tuple(_effects(update)),
        button="Make a plan",
        cancel=resolve_url("update", update.number),
    )


def _effects(update: UpdateJob) -> Iterator[str]:
    yield f"Update {update.number} {join_words(list(_done(update)))}."
    yield (
        "First, we make a plan: values go back to what they were, unless something has changed "
        "them since. Students who were added are deactivated, not deleted. Nothing changes until "
        "you have reviewed the plan and applied it."
    )
    if passwords := changes_by_field(update).get("PASSWORD"):
        were = was_or_were(passwords)
        yield f"{count_of(passwords, 'password')} {were} changed. Old passwords can’t be restored."
    yield (
        "The next file from your SIS applies its own values again. Fix them there, or stop the "
        "nightly script, before you undo."
    )


def _done(update: UpdateJob) -> Iterator[str]:
    """Yield what an update did."""
    if update.rows_updated:
        yield f"changed {count_of(update.rows_updated, 'student')}"
    if update.rows_added:
        yield f"added {format_number(update.rows_added)}"
    if update.rows_deactivated:
        yield f"deactivated {format_number(update.rows_deactivated)}"
