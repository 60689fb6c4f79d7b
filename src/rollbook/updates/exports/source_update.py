"""Which update a file comes from: a file that gives rows back names it in a column, and comes in again with that."""

import re
from collections.abc import Sequence

from rollbook.districts.models import District
from rollbook.studentfile.columns import fold_header
from rollbook.updates.models import UpdateJob

CODE, MESSAGE = "_CODE", "_MESSAGE"

_LINE = "_LINE"
_RETURN_COLUMN = re.compile(rf"{_LINE}(_OF_UPDATE_(?P<number>[0-9]{{1,9}}))?|{CODE}|{MESSAGE}")


def line_column(number: int) -> str:
    """The column that says on which line of this update's file a row stood."""
    return f"{_LINE}_OF_UPDATE_{number}"


def is_return_column(name: str) -> bool:
    """Whether we put this column into a file that we gave back."""
    return bool(_RETURN_COLUMN.fullmatch(fold_header(name)))


def find_source_update(header: Sequence[str], district: District) -> UpdateJob | None:
    """The district's update that a column of this header names; what does not name one of theirs says nothing."""
    found = filter(None, (_RETURN_COLUMN.fullmatch(fold_header(name)) for name in header))
    numbers = [int(column["number"]) for column in found if column["number"]]
    return (
        UpdateJob.objects.filter(district=district, number=numbers[0]).first() if numbers else None
    )
