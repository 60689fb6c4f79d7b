"""What the emails about updates say: outcome, counts, the first errors, and one button.

They have no names, birth dates, IDs or passwords of students, and not the name of the file.
"""

from collections.abc import Iterator, Mapping, Sequence

from rollbook.accounts.mail_content import choice_link, page_link
from rollbook.mail.content import Content, Counts, Item, Link, Section
from rollbook.mail.templatetags.mails import plain
from rollbook.studentfile.problems.problem import Severity
from rollbook.studentfile.problems.tally import ProblemGroup
from rollbook.text import (
    count_of,
    format_bytes,
    format_datetime,
    format_duration,
    format_number,
    join_words,
    line_list,
)
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning.held_in_a_row import ALARMING, held_in_a_row
from rollbook.updates.planning.reason_words import reason_sentence
from rollbook.updates.reporting import undo_words
from rollbook.updates.reporting.remarks import named_columns
from rollbook.updates.reporting.report import (
    MAX_LINES_SHOWN,
    Report,
    previous,
    rejected_lines,
)
from rollbook.updates.reporting.state_words import MODES, result_sentence
from rollbook.updates.state_machine import State

MAX_PROBLEMS = 5
MAX_LINES = 20
MAX_REASONS = 10

_ADMINISTRATOR = "your Rollbook administrator"


def result_content(report: Report, update: UpdateJob) -> Content:
    """Return the email about the end of an update.

    Args:
        report: The report of the update, with its problems.
        update: The update.
    """
    counts, sections = _counts(report), _problems(report, update)
    if report.state is State.REFUSED:
        counts, sections = iter(()), _refusal(report)
    return Content(
        outcome=outcome_of(report),
        district=plain(report.district),
        about=f"update {report.number}",
        sentence=result_sentence(report),
        counts=tuple(counts),
        sections=tuple(sections),
        button=_button(report),
        facts=tuple(_facts(report, update)),
        links=(choice_link(),),
    )


def plan_content(report: Report, update: UpdateJob) -> Content:
    """Return the email about an update whose plan waits or was discarded.

    Args:
        report: The report of the update.
        update: The update.
    """
    in_a_row = held_in_a_row(update) if report.state is State.HELD else 0
    paragraphs: tuple[str, ...] = ()
    if in_a_row >= ALARMING:
        paragraphs = (
            f"{in_a_row} files in a row were held, so no change has reached Rollbook since then.",
        )
    return Content(
        outcome=outcome_of(report, in_a_row),
        district=plain(report.district),
        about=f"update {report.number}",
        sentence=result_sentence(report),
        paragraphs=paragraphs,
        sections=tuple(_reasons(report)),
        button=_button(report),
        facts=(("Students", format_number(report.rows)), *_origin(report)),
        links=(choice_link(),),
    )


def outcome_of(report: Report, in_a_row: int = 0) -> str:
    """Return what became of an update in a few words: ``252 rows rejected, 16 students changed``.

    Args:
        report: The report of the update.
        in_a_row: How many files in a row were held.
    """
    if report.undoes is not None:
        return undo_words.outcome_of(report)
    if report.state is State.HELD and in_a_row >= ALARMING:
        return f"Update held ({in_a_row} files in a row), nothing applied yet"
    if report.state in _OUTCOMES:
        return _OUTCOMES[report.state]
    if report.rejected and report.rejected == report.rows:
        return f"{count_of(report.rejected, 'row')} rejected, nothing applied"
    parts = [_ENDED_EARLY[report.state]] if report.state in _ENDED_EARLY else []
    if report.rejected:
        parts.append(f"{count_of(report.rejected, 'row')} rejected")
    parts.extend(_applied(report))
    if report.not_processed:
        parts.append(f"{format_number(report.not_processed)} not processed")
    return ", ".join(parts)


def _applied(report: Report) -> Iterator[str]:
    """Yield what was applied: ``16 students changed``, ``2 added``."""
    done = [(report.updated, "changed"), (report.added, "added")]
    done.append((report.deactivated, "deactivated"))
    is_first = True
    for count, verb in done:
        if count:
            number = count_of(count, "student") if is_first else format_number(count)
            yield f"{number} {verb}"
            is_first = False
    if is_first:
        yield "no students changed"


_OUTCOMES: Mapping[State, str] = {
    State.CHECKED: "File checked, nothing applied yet",
    State.HELD: "Update held, nothing applied yet",
    State.REFUSED: "File not accepted, nothing applied",
    State.DISCARDED: "Update discarded, nothing applied",
}
_ENDED_EARLY: Mapping[State, str] = {
    State.CANCELED: "Update canceled",
    State.FAILED: "Update failed",
}


def _button(report: Report) -> Link:
    label = f"See update {report.number}"
    if report.is_waiting:
        label = "Review the plan"
    elif report.rejected and report.state is State.COMPLETED and report.undoes is None:
        label = "See the rejected rows"
    return page_link(label, f"/updates/{report.number}")


def _counts(report: Report) -> Iterator[Counts]:
    if report.undoes is not None:
        students = [
            ("set back", report.updated),
            ("as before already", report.unchanged),
            ("left as they are", report.rejected),
            ("not processed", report.not_processed),
        ]
        yield Counts(
            f"{count_of(report.rows, 'student')} of update {report.undoes}", tuple(students)
        )
        return
    rows = [
        ("changed", report.updated),
        ("added", report.added),
        ("unchanged", report.unchanged),
        ("rejected", report.rejected),
        ("not processed", report.not_processed),
    ]
    if report.left_out:
        rows.append(("left out", report.left_out))
    yield Counts(f"{count_of(report.rows, 'student')} in the file", tuple(rows))
    if report.absences:
        yield Counts(
            "Students who aren't in the file",
            (("missing", report.absences.missing), ("deactivated", report.deactivated)),
        )


def _refusal(report: Report) -> Iterator[Section]:
    refusal = report.refusal
    if refusal is None:
        return
    where = f" (line {refusal.line:,})" if refusal.line else ""
    fix = f"How to fix it: {refusal.hint or refusal.definition.fix}."
    yield Section("What's wrong", (Item(f"{refusal.definition.title}{where}.", (fix,)),))


def _problems(report: Report, update: UpdateJob) -> Iterator[Section]:
    errors = [group for group in report.groups if group.severity is Severity.ERROR]
    warnings = [group for group in report.groups if group.severity is Severity.WARNING]
    if report.undoes is not None:  # students have no lines
        yield from _left_values(errors, "These students stay as they are.", "Not set back")
        yield from _left_values(warnings, "These students' other values were set back.", "Warnings")
        return
    if errors:
        lines = rejected_lines(update)
        are_all = report.rejected <= MAX_LINES_SHOWN
        shown = errors[:MAX_PROBLEMS]
        items = [_problem(each, lines.get(each.code, ()), are_all=are_all) for each in shown]
        yield Section("Errors", tuple(items), "These rows were not applied.", _more(errors))
    if warnings:
        shown = warnings[:MAX_PROBLEMS]
        items = [
            _problem(each, each.lines, are_all=each.count <= len(each.lines)) for each in shown
        ]
        intro = "These rows were applied, but please check them."
        yield Section("Warnings", tuple(items), intro, _more(warnings))


def _left_values(groups: Sequence[ProblemGroup], intro: str, title: str) -> Iterator[Section]:
    """Yield what an undo has left as it is."""
    if groups:
        items = [_problem(each, (), are_all=True) for each in groups[:MAX_PROBLEMS]]
        yield Section(title, tuple(items), intro, _more(groups))


def _problem(group: ProblemGroup, lines: Sequence[int], *, are_all: bool) -> Item:
    """Return a problem with its first lines, its columns, and how to fix it.

    Args:
        group: The problem.
        lines: The lines that are known.
        are_all: Whether there are no others.
    """
    where = []
    if lines:
        shown = lines[:MAX_LINES]
        noun = "line" if len(shown) == 1 else "lines"
        first = "" if are_all and len(shown) == len(lines) else "first "
        where.append(f"{first}{noun} {line_list(shown)}.".capitalize())
    if group.columns:
        noun = "Column" if len(group.columns) == 1 else "Columns"
        where.append(f"{noun} {join_words(group.columns)}.")
    where.append(f"How to fix it: {group.fix}.")
    return Item(f"{format_number(group.count)} × {group.title}.", tuple(where))


def _more(groups: Sequence[ProblemGroup]) -> str:
    rest = len(groups) - MAX_PROBLEMS
    return f"{count_of(rest, 'other kind')} on the update's page." if rest > 0 else ""


def _reasons(report: Report) -> Iterator[Section]:
    reasons = report.plan.reasons if report.plan else ()
    if not reasons or report.state is State.DISCARDED:
        return
    items = [Item(reason_sentence(reason)) for reason in reasons[:MAX_REASONS]]
    rest = len(reasons) - MAX_REASONS
    more = f"and {format_number(rest)} more" if rest > 0 else ""
    yield Section("Limits that would be exceeded", tuple(items), more=more)


def _facts(report: Report, update: UpdateJob) -> Iterator[tuple[str, str]]:
    time_zone = report.time_zone
    if report.undoes is None:
        yield "File", format_bytes(report.file_size)
    if ignored := named_columns(report):
        yield "Not read", plain(ignored)
    yield from _origin(report)
    if report.started_at:
        yield "Started", format_datetime(report.started_at, time_zone)
    ended = format_datetime(report.ended_at, time_zone)
    if report.started_at and report.took is not None:
        ended += f", after {format_duration(report.took)}"
    yield "Ended", ended
    if earlier := previous(update):
        yield "Previous", _previous(earlier)


def _origin(report: Report) -> Iterator[tuple[str, str]]:
    starter = report.starter
    name = f"{plain(starter.name)} ({starter.email})" if starter else _ADMINISTRATOR
    if report.undoes is None:
        yield "Mode", MODES[report.mode]
        yield "Sent by", f"{name}, with {report.source}"
    else:
        yield "Undoes", f"update {report.undoes}"
        yield "Started by", f"{name}, with {report.source}"
    yield "Received", format_datetime(report.received_at, report.time_zone)


def _previous(update: UpdateJob) -> str:
    counts = [
        f"{count_of(update.rows, 'student')}",
        f"{format_number(update.rows_updated)} changed",
        f"{format_number(update.rows_added)} added",
        f"{format_number(update.rows_rejected)} rejected",
    ]
    return f"update {update.number}: {', '.join(counts)}"
