"""Word the limits that a plan exceeds, for answers, emails and pages."""

from collections.abc import Sequence

from rollbook.text import count_of, format_number
from rollbook.updates.planning import feed_measures
from rollbook.updates.planning.feed_measures import measure_of
from rollbook.updates.planning.limits import Reason
from rollbook.updates.planning.summary import Counts

_PARTS = (
    ("changed", "would change"),
    ("added", "would be added"),
    ("deactivated", "would be deactivated"),
    ("moved_out", "would change school"),
)


def reason_sentence(reason: Reason) -> str:
    """Return for example ``412 of 4,812 students would change school (8.6 %; the limit is …)``."""
    measured, noun, text = reason.measured, noun_of(reason), what_would_happen(reason)
    share = f"{share_in_percent(reason)} %"
    limit = f"{reason.limit.percent} % and {format_number(reason.limit.count)}"
    where = f" at school {reason.school}" if reason.school else ""
    subject = f"{format_number(measured.count)} of {count_of(measured.of, noun)}"
    if reason.measure == "added":
        subject = count_of(measured.count, noun)
        text = f"{text} to {format_number(measured.of)}"
    return f"{subject}{where} {text} ({share}; the limit is {limit})"


def share_in_percent(reason: Reason) -> str:
    """Return how much of all a reason counts, in percent: ``8``, or ``4,819`` of those added."""
    return format_number(round(100 * reason.measured.count / reason.measured.of))


def noun_of(reason: Reason) -> str:
    """Return what a reason counts: ``student``, ``row``, ``change`` …."""
    return feed_measures.noun_of(reason.measure)


def what_would_happen(reason: Reason) -> str:
    """Return what would happen to those that a reason counts: ``would change school``."""
    text = measure_of(reason.measure).text.format(column=reason.measured.column)
    if reason.measured.count == 1 and text.startswith("are "):
        return f"is {text.removeprefix('are ')}"
    return text


def first_reason(reasons: Sequence[Reason]) -> str:
    """Return the first reason without its limit, and how many others there are."""
    sentence = reason_sentence(reasons[0]).rpartition(" (")[0]
    if len(reasons) == 1:
        return sentence
    return f"{sentence}, and {count_of(len(reasons) - 1, 'other limit')} would be exceeded"


def plan_sentence(counts: Counts) -> str:
    """Return what a plan would do: ``290 students would change, 12 would be added``."""
    parts: list[str] = []
    for name, text in _PARTS:
        count = getattr(counts, name)
        if count and not parts:
            parts.append(f"{count_of(count, 'student')} {text}")
        elif count:
            parts.append(f"{format_number(count)} {text}")
    if counts.rejected:
        were = "row is" if counts.rejected == 1 else "rows are"
        parts.append(f"{format_number(counts.rejected)} {were} rejected")
    return ", ".join(parts) or "no student would change"
