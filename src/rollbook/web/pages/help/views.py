"""Help: the student file, every problem and the commands, out of the code that they are about."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpResponse

from rollbook.studentfile.columns import COLUMNS
from rollbook.studentfile.reference import texts
from rollbook.studentfile.values.choices import CLASSIFICATIONS, RACES
from rollbook.updates.receiving.receive import limits
from rollbook.updates.reporting.status_line import VERDICT_MEANINGS
from rollbook.web.http.command_reference import COMMANDS, FIELDS
from rollbook.web.http.error_codes import ERROR_CODES
from rollbook.web.pages.base.view import PageRequest, member_page


@dataclass(frozen=True)
class Error:
    """Why a call is turned away."""

    code: str
    status: int
    text: str
    again: bool


@member_page()
def contents(page_request: PageRequest) -> HttpResponse:
    return page_request.render("help/index.html")


@member_page()
def student_file(page_request: PageRequest) -> HttpResponse:
    facts = {
        "rules": texts.FILE_RULES,
        "limits": texts.limits(limits()),
        "columns": COLUMNS,
        "values": texts.VALUE_RULES,
        "races": RACES,
        "classifications": CLASSIFICATIONS,
        "matching": texts.MATCHING,
        "after_matching": texts.AFTER_MATCHING,
    }
    return page_request.render("help/student_file.html", facts)


@member_page()
def problems(page_request: PageRequest) -> HttpResponse:
    facts = {"opening": texts.PROBLEMS, "groups": texts.PROBLEM_GROUPS}
    return page_request.render("help/problems.html", facts)


@member_page()
def commands(page_request: PageRequest) -> HttpResponse:
    facts: dict[str, Any] = {
        "commands": COMMANDS,
        "fields": {name: FIELDS[name] for name in FIELDS if FIELDS[name].is_implemented},
        "later": [name for name in FIELDS if not FIELDS[name].is_implemented],
        "verdicts": VERDICT_MEANINGS,
        "errors": list(_errors()),
        "url": settings.URL,
    }
    return page_request.render("help/upload_commands.html", facts)


def _errors() -> Iterator[Error]:
    for code, kind in ERROR_CODES.items():
        text = kind.text.format_map(defaultdict(lambda: "…"))
        yield Error(code, kind.status, text, again=kind.retry_after is not None)
