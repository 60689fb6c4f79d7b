"""Help: the student file, every problem and the commands, out of the code that they are about."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpResponse

from rollbook.doors.pages.visit import PageRequest, member_page
from rollbook.doors.studentupdate.command_reference import COMMANDS, FIELDS
from rollbook.doors.studentupdate.refusals import ERROR_CODES
from rollbook.format import reference
from rollbook.format.choices import CLASSIFICATIONS, RACES
from rollbook.format.columns import COLUMNS
from rollbook.updates.receive import limits
from rollbook.updates.status_line import VERDICT_MEANINGS


@dataclass(frozen=True)
class Error:
    """Why a call is turned away."""

    code: str
    status: int
    text: str
    again: bool


@member_page()
def contents(visit: PageRequest) -> HttpResponse:
    return visit.render("pages/help.html")


@member_page()
def student_file(visit: PageRequest) -> HttpResponse:
    facts = {
        "rules": reference.FILE_RULES,
        "limits": reference.limits(limits()),
        "columns": COLUMNS,
        "values": reference.VALUE_RULES,
        "races": RACES,
        "classifications": CLASSIFICATIONS,
        "matching": reference.MATCHING,
        "after_matching": reference.AFTER_MATCHING,
    }
    return visit.render("pages/help_student_file.html", facts)


@member_page()
def problems(visit: PageRequest) -> HttpResponse:
    facts = {"opening": reference.PROBLEMS, "groups": reference.PROBLEM_GROUPS}
    return visit.render("pages/help_problems.html", facts)


@member_page()
def commands(visit: PageRequest) -> HttpResponse:
    facts: dict[str, Any] = {
        "commands": COMMANDS,
        "fields": {name: FIELDS[name] for name in FIELDS if FIELDS[name].is_implemented},
        "later": [name for name in FIELDS if not FIELDS[name].is_implemented],
        "verdicts": VERDICT_MEANINGS,
        "errors": list(_errors()),
        "url": settings.URL,
    }
    return visit.render("pages/help_commands.html", facts)


def _errors() -> Iterator[Error]:
    for code, kind in ERROR_CODES.items():
        text = kind.text.format_map(defaultdict(lambda: "…"))
        yield Error(code, kind.status, text, again=kind.retry_after is not None)
