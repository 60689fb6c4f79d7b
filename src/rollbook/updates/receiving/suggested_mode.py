"""Suggest the mode in which a file is checked when a person hasn't chosen one."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from rollbook.districts import modes
from rollbook.districts.models import District
from rollbook.districts.modes import Channel
from rollbook.studentfile.columns import REQUIRED_TO_ADD
from rollbook.updates.exports.source_update import find_source_update
from rollbook.updates.models import StudentFile
from rollbook.updates.state_machine import Mode


class Why(Enum):
    """Why a mode is suggested."""

    REPEATS_ROWS = auto()
    OTHERS_NOT_ALLOWED = auto()
    HAS_COLUMNS_TO_ADD = auto()
    LACKS_COLUMNS_TO_ADD = auto()


@dataclass(frozen=True)
class SuggestedMode:
    """The mode that fits a file.

    Attributes:
        mode: The mode.
        why: Why it is suggested.
        lacking: The columns that a new student needs and the file lacks.
    """

    mode: Mode
    why: Why
    lacking: Sequence[str] = ()


def suggest_mode(file: StudentFile, district: District) -> SuggestedMode | None:
    """Return the mode that fits a file; None if pages may use none.

    Rows of another update are used as that one was. Otherwise, students are added only from a file
    with all columns that a new student needs. Nobody is deactivated for being missing in a file
    unless a person says that it has all students, so full sync is suggested only if nothing else is
    allowed.

    Args:
        file: The scanned file.
        district: Its district.
    """
    allowed = modes.allowed_modes(district, Channel.PAGES)
    if not allowed:
        return None
    source = find_source_update(file.header, district)
    if source and source.mode in allowed:
        return SuggestedMode(Mode(source.mode), Why.REPEATS_ROWS)
    considered = tuple(filter(modes.DEFAULT_MODES.__contains__, allowed)) or allowed
    if len(considered) == 1:
        return SuggestedMode(Mode(considered[0]), Why.OTHERS_NOT_ALLOWED)
    if lacking := lacking_to_add(file):
        return SuggestedMode(Mode.UPDATE, Why.LACKS_COLUMNS_TO_ADD, lacking)
    return SuggestedMode(Mode.ADD, Why.HAS_COLUMNS_TO_ADD)


def lacking_to_add(file: StudentFile) -> tuple[str, ...]:
    """Return the columns that a new student needs and a file lacks."""
    known = file.parse_header().known
    return tuple(name for name in REQUIRED_TO_ADD if name not in known)
