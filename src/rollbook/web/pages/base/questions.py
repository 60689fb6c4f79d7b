"""Ask before something that can't be undone, on a page that says what will happen.

The page submits the same form again, with the answer. So a button that asks needs no script, and
going back, reloading or leaving the page does nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpResponse

from rollbook.web.pages.base.view import PageRequest

ANSWER = "sure"
YES = "yes"
TOKEN = "csrfmiddlewaretoken"  # noqa: S105 - a name
CONFIRMATION = "confirmation"
"""The field in which a password or a code is entered again."""

NEVER_KEPT = frozenset({TOKEN, CONFIRMATION, "password"})
"""Fields that a page which asks something doesn't repeat, since they are secrets."""


@dataclass(frozen=True)
class Question:
    """What a member is about to do.

    Attributes:
        title: The question, such as ``Close Oak School?``
        effects: What will happen, and what won't; a paragraph each.
        button: The button that does it, such as ``Close Oak School``.
        cancel: The address of the page to return to.
        items: What is affected, as a list; may be empty.
        kept: Names and values of fields to submit with the answer; None: those of this form.
    """

    title: str
    effects: Sequence[str]
    button: str
    cancel: str
    items: Sequence[str] = ()
    kept: Sequence[tuple[str, str]] | None = None


def is_answered(page_request: PageRequest) -> bool:
    """Return whether the member has seen the question and wants to do it."""
    return page_request.request.POST.get(ANSWER) == YES


def ask(page_request: PageRequest, question: Question) -> HttpResponse | None:
    """Return the page that asks; None once the member has answered it."""
    if is_answered(page_request):
        return None
    context = {
        "question": question,
        "kept": _submitted(page_request) if question.kept is None else question.kept,
        "answer": (ANSWER, YES),
        "action": page_request.request.get_full_path(),
    }
    return page_request.render("question.html", context)


def _submitted(page_request: PageRequest) -> list[tuple[str, str]]:
    """Return the names and values of the submitted fields."""
    fields = []
    for name, values in page_request.request.POST.lists():
        if name not in NEVER_KEPT and name != ANSWER:
            fields += [(name, str(value)) for value in values]
    return fields
