"""Word in which mode a file was checked, why, and what else could be done with it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rollbook.districts import modes
from rollbook.districts.modes import Channel
from rollbook.text import count_of, join_words
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning.summary import Counts
from rollbook.updates.receiving.suggested_mode import (
    SuggestedMode,
    Why,
    lacking_to_add,
    suggest_mode,
)
from rollbook.updates.state_machine import Mode
from rollbook.web.pages.base.column_labels import label

NAMES: Mapping[Mode, str] = {
    Mode.UPDATE: "Update existing students only",
    Mode.ADD: "Also add new students",
    Mode.SYNC: "Full sync",
}


@dataclass(frozen=True)
class OtherMode:
    """Another mode in which the file can be checked.

    Attributes:
        mode: The mode.
        button: What its button says.
        hint: What it would do; may be empty.
    """

    mode: Mode
    button: str
    hint: str


@dataclass(frozen=True)
class ModeChoice:
    """The mode of a dry run.

    Attributes:
        name: What it is called.
        why: Why it was chosen, as a sentence.
        others: The modes in which the file can be checked again.
    """

    name: str
    why: str
    others: list[OtherMode]


def mode_choice(update: UpdateJob, counts: Counts) -> ModeChoice:
    """Return the mode of a dry run, why it was suggested, and which others make sense.

    Args:
        update: The dry run, whose file is still stored.
        counts: What it would do in the district.
    """
    suggested = suggest_mode(update, update.district)
    is_suggested = suggested is not None and suggested.mode == update.mode
    why = _why(suggested, update, counts) if suggested and is_suggested else "It was chosen."
    return ModeChoice(NAMES[Mode(update.mode)], why, list(_others(update, counts)))


def _why(suggested: SuggestedMode, update: UpdateJob, counts: Counts) -> str:
    if suggested.why is Why.REPEATS_ROWS and update.corrects:
        return f"The file has rows of update {update.corrects.number}, which was used in this way."
    if suggested.why is Why.OTHERS_NOT_ALLOWED:
        return "Your district’s settings allow only this for files that are uploaded here."
    if suggested.why is Why.LACKS_COLUMNS_TO_ADD:
        lacking = join_words([label(name) for name in suggested.lacking])
        return f"The file can’t add students, because it doesn’t have these columns: {lacking}."
    if counts.added:
        are = "1 student isn’t" if counts.added == 1 else f"{counts.added:,} students aren’t"
        return f"{are} in Rollbook yet, and the file has all columns that a new student needs."
    return "The file has all columns that a new student needs; none of its students is new."


def _others(update: UpdateJob, counts: Counts) -> Iterator[OtherMode]:
    allowed = set(modes.allowed_modes(update.district, Channel.PAGES)) - {update.mode}
    unknown = update.problem_counts.get("unknown_student", 0)
    if Mode.UPDATE in allowed and counts.added:
        hint = f"{count_of(counts.added, 'new student')} would be left out."
        yield OtherMode(Mode.UPDATE, "Check again without adding students", hint)
    if Mode.ADD in allowed and unknown and not lacking_to_add(update):
        yield OtherMode(Mode.ADD, "Check again, also adding new students", _unknown(unknown))
    if Mode.SYNC in allowed:
        hint = (
            "Only for a file with all students: those who are missing in several files are "
            "deactivated."
        )
        yield OtherMode(Mode.SYNC, "Check again as a full sync", hint)


def _unknown(count: int) -> str:
    if count == 1:
        return "1 row is about a student who isn’t in Rollbook, so it would be rejected."
    return f"{count:,} rows are about students who aren’t in Rollbook, so they would be rejected."
