"""Help: the student file, all problems and the upload commands, generated from the code."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.views.decorators.gzip import gzip_page

from rollbook.studentfile.columns import COLUMNS, NAMES_IN_OTHER_SYSTEMS
from rollbook.studentfile.reference import texts
from rollbook.studentfile.values.choices import CLASSIFICATIONS, RACES
from rollbook.updates.receiving.file_limits import file_limits
from rollbook.updates.reporting.status_line import VERDICT_MEANINGS
from rollbook.web.http.command_reference import COMMANDS, FIELDS
from rollbook.web.http.error_codes import ERROR_CODES
from rollbook.web.pages.base.view import PageRequest, member_page


@dataclass(frozen=True)
class Error:
    """An error of the upload commands."""

    code: str
    status: int
    text: str
    can_retry: bool


@member_page()
def contents(page_request: PageRequest) -> HttpResponse:
    """Show the list of the help pages."""
    return page_request.render("help/index.html")


@gzip_page
@member_page()
def student_file(page_request: PageRequest) -> HttpResponse:
    """Describe the student file."""
    context = {
        "rules": texts.FILE_RULES,
        "limits": texts.limits(file_limits()),
        "columns": COLUMNS,
        "names_in_other_systems": NAMES_IN_OTHER_SYSTEMS,
        "about_other_systems": (texts.OTHER_SYSTEMS, texts.KEYS_OF_OTHER_SYSTEMS),
        "values": texts.VALUE_RULES,
        "races": RACES,
        "classifications": CLASSIFICATIONS,
        "matching": texts.MATCHING,
        "after_matching": texts.AFTER_MATCHING,
    }
    return page_request.render("help/student_file.html", context)


@gzip_page
@member_page()
def problems(page_request: PageRequest) -> HttpResponse:
    """List all problems with their causes and fixes."""
    context = {"opening": texts.PROBLEMS, "groups": texts.PROBLEM_GROUPS}
    return page_request.render("help/problems.html", context)


@member_page()
def commands(page_request: PageRequest) -> HttpResponse:
    """Describe the upload commands."""
    context: dict[str, Any] = {
        "commands": COMMANDS,
        "fields": dict(FIELDS),
        "verdicts": VERDICT_MEANINGS,
        "errors": list(_errors()),
        "url": settings.URL,
    }
    return page_request.render("help/upload_commands.html", context)


def _errors() -> Iterator[Error]:
    for code, error in ERROR_CODES.items():
        text = error.text.format_map(defaultdict(lambda: "…"))
        yield Error(code, error.status, text, can_retry=error.retry_after is not None)
