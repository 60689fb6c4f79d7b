"""Word what is to be said of an update besides its counts: warnings, and columns not read."""

from collections.abc import Iterator

from rollbook.studentfile.problems.problem import printable_excerpt
from rollbook.studentfile.problems.tally import ProblemGroup
from rollbook.text import count_of, format_number, join_words
from rollbook.updates.reporting.report import Report

MAX_NAMED_COLUMNS = 10
NO_ACTION_NEEDED = "No action needed."


def next_step(report: Report) -> str:
    """Return what to do after an update without errors: nothing, only if nothing is to be said."""
    return " ".join(remarks(report)) or NO_ACTION_NEEDED


def remarks(report: Report) -> Iterator[str]:
    """Yield a sentence about the columns that were not read, missing students, and warnings."""
    if report.ignored:
        columns = "column wasn't" if len(report.ignored) == 1 else "columns weren't"
        yield f"{len(report.ignored)} {columns} read: {named_columns(report)}."
    if report.absences and report.absences.missing:
        are = "is" if report.absences.missing == 1 else "are"
        yield f"{count_of(report.absences.missing, 'student')} {are} missing in the file."
    if report.warnings:
        yield f"Check {count_of(report.warnings, 'warning')}."


def named_columns(report: Report) -> str:
    """Return the names of the columns that were not read, as one text; empty if there are none."""
    names = [printable_excerpt(name) for name in report.ignored[:MAX_NAMED_COLUMNS]]
    if len(report.ignored) > MAX_NAMED_COLUMNS:
        names.append(f"{format_number(len(report.ignored) - MAX_NAMED_COLUMNS)} more")
    return join_words(names) if names else ""


def remark_lines(report: Report) -> Iterator[str]:
    """Yield the lines of a text answer about columns not read, warnings, and each problem code."""
    if report.ignored:
        yield f"Ignored columns: {named_columns(report)}."
    if report.absences and not report.absences.not_counted:
        yield f"Missing students: {format_number(report.absences.missing)}."
    if report.warnings:
        yield f"Warnings: {format_number(report.warnings)}."
    for group in report.groups:
        yield f"{group.code}: {_where(group)}. {group.title}. {_fix(group)}."


def _where(group: ProblemGroup) -> str:
    where = count_of(group.count, group.severity.value)
    if group.columns:
        where += f" in {join_words(group.columns)}"
    if group.lines:
        where += f", {'first ' if group.count > 1 else ''}line {group.lines[0]:,}"
    return where


def _fix(group: ProblemGroup) -> str:
    return f"{group.fix[:1].upper()}{group.fix[1:]}"
