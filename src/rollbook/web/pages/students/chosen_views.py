"""Deactivate or reactivate the selected students of the list, or set new passwords for them."""

from django.http import HttpResponse

from rollbook.accounts.permissions import Permission
from rollbook.students.manual import edits_by_member
from rollbook.students.manual.edits import InvalidStudent
from rollbook.students.manual.edits_by_member import StudentNotVisible
from rollbook.text import count_of
from rollbook.web.pages.account.confirmation import confirmed
from rollbook.web.pages.base.questions import Question, ask
from rollbook.web.pages.base.view import POST, PageRequest, member_page
from rollbook.web.pages.students.chosen import (
    CHANGED_SINCE,
    Chosen,
    back_to_list,
    chosen,
    fields_of,
    list_address,
    refused_selection,
)
from rollbook.web.pages.students.filters import PAGE_SIZE

TOO_MANY_PASSWORDS = (
    f"No passwords were set: select up to {PAGE_SIZE} students at a time, and print their cards."
)


@member_page(Permission.EDIT_STUDENTS, methods=POST)
def deactivate(page_request: PageRequest) -> HttpResponse:
    """Make the selected students inactive, once the member has confirmed it."""
    return _set_status(
        page_request,
        "inactive",
        "Deactivate",
        "Their records, usernames, student IDs and histories are kept, and you can reactivate "
        "them at any time. A student file that says a student is active does that, too.",
    )


@member_page(Permission.EDIT_STUDENTS, methods=POST)
def reactivate(page_request: PageRequest) -> HttpResponse:
    """Make the selected students active again, once the member has confirmed it."""
    return _set_status(
        page_request, "active", "Reactivate", "Their records are used again as they are."
    )


@member_page(Permission.EDIT_STUDENTS, methods=POST)
@confirmed
def new_passwords(page_request: PageRequest) -> HttpResponse:
    """Set new passwords for the selected students, and show them once, on cards to print."""
    selection = chosen(page_request)
    if len(selection.students) > PAGE_SIZE:
        page_request.error(TOO_MANY_PASSWORDS)
        return back_to_list(page_request)
    count = count_of(len(selection.students), "student")
    question = _question(
        page_request,
        selection,
        f"Set new passwords for {count}?",
        (
            "Their current passwords stop working right away. We can’t show those, because "
            "nobody can look them up.",
            "The next page shows the new passwords once, on sign-in cards that you can print.",
        ),
        "Set new passwords",
    )
    refusal = _refusal(page_request, selection, question, "new password")
    return refusal or _show_cards(page_request, selection)


def _set_status(page_request: PageRequest, status: str, verb: str, effect: str) -> HttpResponse:
    selection = chosen(page_request)
    title = f"{verb} {count_of(len(selection.students), 'student')}?"
    question = _question(page_request, selection, title, (effect,), title.removesuffix("?"))
    if refusal := _refusal(page_request, selection, question, "edit student"):
        return refusal
    member, now = page_request.member, page_request.now
    try:
        changed = edits_by_member.set_statuses(member, selection.versions, status, now)
    except (InvalidStudent, StudentNotVisible):
        page_request.error(CHANGED_SINCE)
        return back_to_list(page_request)
    count = count_of(changed, "student")
    page_request.audit("edit student", "ok", f"{count}: {status}", selection.keys)
    page_request.success(f"{count} {verb.lower()}d.")
    return back_to_list(page_request)


def _question(
    page_request: PageRequest,
    selection: Chosen,
    title: str,
    effects: tuple[str, ...],
    button: str,
) -> Question:
    return Question(
        title,
        effects,
        button,
        list_address(page_request),
        selection.names,
        fields_of(page_request, selection),
    )


def _refusal(
    page_request: PageRequest, selection: Chosen, question: Question, action: str
) -> HttpResponse | None:
    """Return the page to show instead of doing it; None once the member has answered."""
    if refused := refused_selection(page_request, selection):
        return refused
    if page := ask(page_request, question):
        detail = f"{count_of(len(selection.students), 'student')}, selected"
        page_request.audit(action, "seen", detail, [student.pk for student in selection.named])
        return page
    if not selection.is_as_asked:
        page_request.error(CHANGED_SINCE)
        return back_to_list(page_request)
    return None


def _show_cards(page_request: PageRequest, selection: Chosen) -> HttpResponse:
    member, now = page_request.member, page_request.now
    try:
        by_key = edits_by_member.new_passwords(member, selection.versions, now)
    except (InvalidStudent, StudentNotVisible):
        page_request.error(CHANGED_SINCE)
        return back_to_list(page_request)
    count = count_of(len(by_key), "student")
    page_request.audit("new password", "ok", count, selection.keys)
    cards = [(student, by_key[student.pk]) for student in selection.students]
    context = {"cards": cards, "count": count, "list": list_address(page_request)}
    return page_request.render("students/cards.html", context)
