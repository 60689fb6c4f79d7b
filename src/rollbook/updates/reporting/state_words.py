"""What each state of an update and each outcome of a row is called, and how it is shown.

Pages, emails, the upload commands and the command line all take their words from these tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from rollbook.text import count_of
from rollbook.updates.models import UpdateJob
from rollbook.updates.reporting.report import Report
from rollbook.updates.state_machine import Outcome, State


@dataclass(frozen=True)
class StateWords:
    """How one state or outcome is shown.

    Attributes:
        word: its name on pages and in emails.
        sign: the badge's sign; together with the word, so that color is never alone.
        tone: the badge's color, a name in the style sheet.
        verdict: the first words of the answer to ``status``.
        activity: what is done in this state, behind "now" and in progress lines.
        past: how the update ended, behind "update 17".
        day: what it means for a day in the chart.
        sentence: a format string for emails and the update's page, see ``result_sentence``.
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
COMPLETED = StateWords(
    "completed",
    "✓",
    "good",
    verdict="COMPLETED",
    past="completed",
    sentence=(
        "{update} is complete: every student in the file is now as the file says. There is nothing to do."
    ),
)
COMPLETED_WITH_ERRORS = StateWords(
    "completed with errors",
    "!",
    "warn",
    verdict="COMPLETED WITH ERRORS",
    past="completed",
    sentence=(
        "{update} is complete, but {rejected} of the file had errors and {rejected_were} not applied. "
        "Correct them in the student information system; the next file will bring them."
    ),
)
CANCELED = StateWords(
    "canceled",
    "■",
    "quiet",
    verdict="CANCELED",
    past="was canceled",
    day="the update was canceled",
    sentence=(
        "{update} was canceled. {changed}; {not_processed} {not_processed_were} not processed. "
        "To apply the rest, send the same file again."
    ),
)
REFUSED = StateWords(
    "refused",
    "✕",
    "bad",
    verdict="REFUSED",
    past="was refused",
    day="the file was refused",
    sentence=(
        "{update} was refused: the file is not acceptable, and no student was changed. "
        "Correct the file and send it again."
    ),
)
FAILED = StateWords(
    "failed",
    "✕",
    "bad",
    verdict="FAILED",
    past="failed",
    day="an error of ours ended the update",
    sentence=(
        "{update} failed because of an error of ours, reference {reference}. {changed}. "
        "Send the same file again; if it fails again, tell the host of this server the reference."
    ),
)

# Several states in one word: for a day, and for the most important update of a district.
NO_FILE = StateWords("none", "·", "quiet", day="no file came")
WAITING = StateWords("waiting", "…", "waiting")
RUNNING = StateWords("running", "↻", "running")

NOT_PROCESSED = StateWords("not processed", "·", "quiet")

STATES: Mapping[State, StateWords] = {
    State.RECEIVED: RECEIVED,
    State.CHECKING: CHECKING,
    State.APPLYING: APPLYING,
    State.COMPLETED: COMPLETED,
    State.REFUSED: REFUSED,
    State.CANCELED: CANCELED,
    State.FAILED: FAILED,
}
OUTCOMES: Mapping[Outcome, StateWords] = {
    Outcome.UPDATED: StateWords("updated", "✓", "good"),
    Outcome.ADDED: StateWords("added", "+", "good"),
    Outcome.UNCHANGED: StateWords("unchanged", "=", "quiet"),
    Outcome.REJECTED: StateWords("rejected", "✕", "bad"),
}
BEST_TO_WORST = (NO_FILE, RUNNING, COMPLETED, COMPLETED_WITH_ERRORS, CANCELED, REFUSED, FAILED)
"""How a day may have gone."""

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


def result_sentence(report: Report) -> str:
    """Return what an update's end means and what to do next; nothing while it is unfinished."""
    return words_of(report).sentence.format(
        update=f"Student update {report.number} of {report.district}",
        reference=report.reference,
        rejected=count_of(report.rejected, "row"),
        rejected_were=_were(report.rejected),
        not_processed=count_of(report.not_processed, "row"),
        not_processed_were=_were(report.not_processed),
        changed=_changed(report.changed),
    )


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _changed(count: int) -> str:
    if not count:
        return "No student was changed"
    stay = "stays" if count == 1 else "stay"
    return f"The {count_of(count, 'student')} that {_were(count)} already changed {stay} changed"
