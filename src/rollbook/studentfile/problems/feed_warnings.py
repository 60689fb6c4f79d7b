"""Problems of a file as a whole that only a comparison with students and other files can find."""

from rollbook.studentfile.problems.codes import ProblemCode, Scope, warning


def _feed_warning(code: str, title: str, cause: str, fix: str) -> ProblemCode:
    return warning(code, title, cause, fix, scope=Scope.FILE)


FEED_WARNINGS: tuple[ProblemCode, ...] = (
    _feed_warning(
        "shape_changed",
        "A column looks different than in the last file",
        "The values have another form or length than in the last file with the same columns, or "
        "more of them are blank. An export or a spreadsheet has changed them, or the columns are "
        "shifted.",
        "compare the column with the file of the night before",
    ),
    _feed_warning(
        "ids_changed_form",
        "IDs are unknown as they are written, but known in another form",
        "Leading zeros are missing, .0 or a prefix was added, or the case has changed. "
        "Spreadsheets and changed exports do that.",
        "export the IDs as text, as they were before",
    ),
    _feed_warning(
        "columns_shifted",
        "Columns look like their neighbors in the last file",
        "The values are in the wrong columns: a cell is missing or too much, or the header was "
        "changed.",
        "export the file again with the header that belongs to it",
    ),
    _feed_warning(
        "dates_day_first",
        "Dates of birth would change to what they are with day and month exchanged",
        "The dates of the students are right if those of the file are read day first. None of "
        "them proves it, as 13/05/2014 would.",
        'export dates as mm/dd/yyyy or yyyy-mm-dd, or set "Date order" to day first in the '
        "district settings",
    ),
    _feed_warning(
        "fewer_rows",
        "The file has fewer rows than the last one",
        "The export was cut off, or it has only some of the schools.",
        "check that the export has all students",
    ),
    _feed_warning(
        "more_rows",
        "The file has more rows than the last one",
        "The export has more schools or years than before, or rows repeat.",
        "check that the export has only the students it should have",
    ),
    _feed_warning(
        "other_students",
        "The file is about other students than the last one",
        "It may be the file of another district, or of another year.",
        "check which export it is",
    ),
    _feed_warning(
        "goes_back",
        "The file undoes changes of the last two weeks",
        "It may be an old export, or the student information system was restored from a backup.",
        "check when the file was exported",
    ),
    _feed_warning(
        "earlier_file",
        "The same file was sent on an earlier night, and another one since",
        "A script sent an old file again.",
        "check that the export is new",
    ),
)
