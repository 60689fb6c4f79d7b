"""What each state of an update and each outcome of a row is called, and how it is shown.

Pages, emails, the upload commands and the command line all take their words from these tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from rollbook.text import count_of, format_datetime, format_number, was_or_were
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning.plan_status import PlanStatus
from rollbook.updates.planning.reason_words import first_reason, plan_sentence
from rollbook.updates.reporting import remarks, undo_words
from rollbook.updates.reporting.report import Report
from rollbook.updates.state_machine import EXPIRED, REPLACED, Mode, Outcome, State


@dataclass(frozen=True)
class StateWords:
    """How one state or outcome is shown.

    Attributes:
        word: Its name on pages and in emails.
        sign: The badge's sign; together with the word, so that color is never alone.
        tone: The badge's color, a name in the style sheet.
        verdict: The first words of the answer to ``status``.
        activity: What is done in this state, used after "now" and in progress lines.
        past: How the update ended, used after "update 17".
        day: What it means for a day in the chart.
        sentence: A format string for emails and the update's page, see ``result_sentence``.
    """

    word: str
    sign: str
    tone: str
    verdict: str = ""
    activity: str = ""
    past: str = ""
    day: str = ""
    sentence: str = ""


RECEIVED = StateWords("received", "…", "waiting", verdict="RUNNING", activity="checking")
CHECKING = StateWords("checking", "↻", "running", verdict="RUNNING", activity="checking")
APPLYING = StateWords("applying", "↻", "running", verdict="RUNNING", activity="updating")
CHECKED = StateWords(
    "checked",
    "?",
    "waiting",
    verdict="CHECKED",
    activity="waiting for a decision",
    day="a file was checked, and nothing was applied",
    sentence=(
        "{update} was checked, and nothing was applied: {plan}. Apply or discard it by {discard_at}"
        "; after that, it is discarded."
    ),
)
HELD = StateWords(
    "held",
    "!",
    "warn",
    verdict="HELD",
    activity="waiting for a decision",
    day="the update is held until somebody decides",
    sentence=(
        "{update} is held, and nothing was applied: {reason}. Approve or discard it by "
        "{discard_at}; after that, it is discarded."
    ),
)
SCHEDULED = StateWords(
    "scheduled", "…", "waiting", verdict="RUNNING", activity="waiting for its time"
)
COMPLETED = StateWords(
    "completed",
    "✓",
    "good",
    verdict="COMPLETED",
    past="completed",
    sentence="{update} finished: {result}. {next_step}",
)
COMPLETED_WITH_ERRORS = StateWords(
    "completed with errors",
    "!",
    "warn",
    verdict="COMPLETED WITH ERRORS",
    past="completed",
    sentence=(
        "{update} finished: {result}. {rejected} {rejected_were} rejected and not applied. "
        "Fix {rejected_them} in your SIS; {rejected_they_will} come through with the next "
        "file.{remarks}"
    ),
)
NOTHING_APPLIED = StateWords("nothing applied", "✕", "bad")
"""The badge of a completed update of which every row was rejected."""

CANCELED = StateWords(
    "canceled",
    "■",
    "quiet",
    verdict="CANCELED",
    past="was canceled",
    day="the update was canceled",
    sentence="{update} was canceled. {applied}; {unfinished}{remarks}",
)
REFUSED = StateWords(
    "refused",
    "✕",
    "bad",
    verdict="REFUSED",
    past="was refused",
    day="the file was not accepted",
    sentence=(
        "{update} was refused: the file could not be accepted. Nothing was applied. "
        "Fix the file and upload it again."
    ),
)
FAILED = StateWords(
    "failed",
    "✕",
    "bad",
    verdict="FAILED",
    past="failed",
    day="the update failed because of a problem on our side",
    sentence=(
        "{update} failed because of a problem on our side (reference {reference}). {applied}. "
        "Upload the same file again. If it fails again, give your Rollbook administrator the "
        "reference."
    ),
)

DISCARDED = StateWords(
    "discarded",
    "■",
    "quiet",
    verdict="DISCARDED",
    past="was discarded",
    day="the plan of the update was discarded",
    sentence="{update} was discarded{discarded}. Nothing was applied.",
)

# Several states in one word: for a day, and for the most important update of a district.
NO_FILE = StateWords("none", "–", "quiet", day="no file was uploaded")
WAITING = StateWords("waiting", "…", "waiting")
RUNNING = StateWords("running", "↻", "running")

NOT_PROCESSED = StateWords("not processed", "·", "quiet")

STATES: Mapping[State, StateWords] = {
    State.RECEIVED: RECEIVED,
    State.CHECKING: CHECKING,
    State.CHECKED: CHECKED,
    State.HELD: HELD,
    State.SCHEDULED: SCHEDULED,
    State.APPLYING: APPLYING,
    State.COMPLETED: COMPLETED,
    State.REFUSED: REFUSED,
    State.CANCELED: CANCELED,
    State.FAILED: FAILED,
    State.DISCARDED: DISCARDED,
}
OUTCOMES: Mapping[Outcome, StateWords] = {
    Outcome.UPDATED: StateWords("updated", "✓", "good"),
    Outcome.ADDED: StateWords("added", "+", "good"),
    Outcome.UNCHANGED: StateWords("unchanged", "=", "quiet"),
    Outcome.REJECTED: StateWords("rejected", "✕", "bad"),
    Outcome.LEFT_OUT: StateWords("left out", "·", "quiet"),
    Outcome.DEACTIVATED: StateWords("deactivated", "−", "warn"),
}
MODES: Mapping[Mode, str] = {
    Mode.UPDATE: "Update existing students",
    Mode.ADD: "Also add new students",
    Mode.SYNC: "Full sync",
}
BEST_TO_WORST = (
    NO_FILE,
    CHECKED,
    RUNNING,
    COMPLETED,
    COMPLETED_WITH_ERRORS,
    HELD,
    DISCARDED,
    CANCELED,
    REFUSED,
    FAILED,
)
"""The possible states of a day, from best to worst."""

ALL = (
    *STATES.values(),
    COMPLETED_WITH_ERRORS,
    NO_FILE,
    WAITING,
    RUNNING,
    NOT_PROCESSED,
    *OUTCOMES.values(),
)


def words_of(update: UpdateJob | Report) -> StateWords:
    """Return the words for the state of an update; one with rejected rows completed with errors."""
    words = STATES[State(update.state)]
    return COMPLETED_WITH_ERRORS if words is COMPLETED and update.with_errors else words


def badge_words(update: UpdateJob | Report) -> StateWords:
    """Return the word, sign and tone of an update's state, as its badge shows them."""
    words = words_of(update)
    if words is COMPLETED_WITH_ERRORS and _rejected_rows(update) == update.rows:
        return NOTHING_APPLIED
    return words


def result_sentence(report: Report) -> str:
    """Return how the update ended and what to do next; nothing while it is unfinished."""
    if report.undoes is not None:
        return undo_words.result_sentence(report, discard_cause(report.plan) if report.plan else "")
    pronouns = ("it", "it'll") if report.rejected == 1 else ("them", "they'll")
    return words_of(report).sentence.format(
        update=f"Student update {report.number} for {report.district}",
        reference=report.reference,
        result=_result(report),
        rejected=count_of(report.rejected, "row"),
        rejected_were=was_or_were(report.rejected),
        rejected_them=pronouns[0],
        rejected_they_will=pronouns[1],
        unfinished=_unfinished(report.not_processed),
        applied=_applied(report.changed),
        next_step=remarks.next_step(report),
        remarks="".join(f" {remark}" for remark in remarks.remarks(report)),
        **_plan_words(report),
    )


def _unfinished(rows: int) -> str:
    """Return how many rows a canceled update left, and what to do about them."""
    if not rows:
        return "every row was processed. No action needed."
    were = was_or_were(rows)
    return (
        f"{count_of(rows, 'row')} {were} not processed. "
        "To finish the update, upload the same file again."
    )


def _plan_words(report: Report) -> dict[str, str]:
    """Return the parts of a sentence that are about a plan."""
    plan = report.plan
    if plan is None:
        return dict.fromkeys(("plan", "reason", "discard_at", "discarded"), "")
    discard_at = plan.discard_at
    return {
        "plan": plan_sentence(plan.summary.district),
        "reason": first_reason(plan.reasons) if plan.reasons else "a limit would be exceeded",
        "discard_at": format_datetime(discard_at, report.time_zone) if discard_at else "any time",
        "discarded": discard_cause(plan),
    }


def discard_cause(plan: PlanStatus) -> str:
    """Return why or by whom a plan was discarded, after ``discarded``; may be empty."""
    if plan.discard_reason == REPLACED:
        return f" because update {plan.replaced_by} has newer data"
    if plan.discard_reason == EXPIRED:
        return " because nobody approved it in time"
    return f" by {plan.decided_by.name}" if plan.decided_by else ""


def _result(report: Report) -> str:
    """Return for example ``83 of 4,812 students changed`` or ``nothing was applied``."""
    if report.rejected and report.rejected == report.rows:
        return "nothing was applied"
    result = f"{format_number(report.updated)} of {count_of(report.rows, 'student')} changed"
    if report.added:
        result += f", {format_number(report.added)} added"
    if report.deactivated:
        result += f", {format_number(report.deactivated)} deactivated"
    return result


def _applied(count: int) -> str:
    """Return what an update that ended early changed."""
    if not count:
        return "No students were changed"
    change = "that change is kept" if count == 1 else "those changes are kept"
    return f"{count_of(count, 'student')} {was_or_were(count)} already changed, and {change}"


def _rejected_rows(update: UpdateJob | Report) -> int:
    return update.rows_rejected if isinstance(update, UpdateJob) else update.rejected
