"""Problems of files that are accepted: warnings."""

from rollbook.studentfile.problems.codes import ProblemCode, Scope, warning


def _file_warning(code: str, title: str, cause: str, fix: str, phrase: str = "") -> ProblemCode:
    return warning(code, title, cause, fix, phrase, Scope.FILE)


FILE_WARNINGS: tuple[ProblemCode, ...] = (
    _file_warning(
        "utf16_decoded",
        "The file is saved as UTF-16 and was converted",
        'Spreadsheets save UTF-16 if you choose "Unicode Text".',
        "save it as CSV UTF-8 next time",
    ),
    _file_warning(
        "double_bom",
        "The file starts with two byte order marks",
        "A script added a byte order mark to a file that already had one. Both were ignored.",
        "write it once or not at all",
    ),
    _file_warning(
        "other_delimiter",
        "The cells are not separated by commas, and the file was read anyway",
        "The file is separated by semicolons, tabs or vertical bars. Spreadsheets use those in "
        "some countries.",
        "no action needed",
    ),
    _file_warning(
        "other_sheets",
        "Only one sheet of the workbook was read",
        "The first visible sheet that contains anything is read, and no other.",
        "if the students are in another sheet, move that sheet to the front",
        phrase="Only the sheet {found} was read, and no other sheet",
    ),
    _file_warning(
        "formula_not_calculated",
        "The workbook has formulas without results",
        "A program wrote the workbook without calculating its formulas. Their cells were read as "
        "the error #CALC!, never as blanks.",
        "open it in a spreadsheet program, save it, and upload it again",
    ),
    _file_warning(
        "hidden_cells",
        "Hidden rows or columns of the sheet were read too",
        "A filter or a person has hidden them. All rows and columns of the sheet are read.",
        "if they should not be used, delete them and upload the file again",
    ),
    _file_warning(
        "merged_cells",
        "The sheet has merged cells",
        "Only the first of the merged cells has the value; the others are blank. A blank cell "
        "changes nothing.",
        "unmerge them and write the value into every cell",
    ),
    _file_warning(
        "encoding_ignored",
        "The file is saved as UTF-8, so the encoding you set was ignored",
        "Its accented letters are valid UTF-8, which text in another encoding practically never "
        "is. Read in the other encoding, they would be damaged.",
        "set the encoding to UTF-8 in the district settings, and send no encoding with the file",
        phrase="The file is saved as UTF-8, so the encoding {found} was ignored",
    ),
    _file_warning(
        "title_skipped",
        "A line above the header was skipped",
        "A title, a comment or a #TYPE line precedes the header. It contains no student.",
        "no action needed; you can export without it",
        phrase="The line {found} above the header was skipped",
    ),
    _file_warning(
        "footer_skipped",
        "A line below the last student was skipped",
        "The file ends with a total, a number of rows or an end mark. It contains no student.",
        "no action needed; you can export without it",
        phrase="The line {found} below the last student was skipped",
    ),
    _file_warning(
        "dashes_skipped",
        "A line of dashes was skipped",
        "Database programs draw a line between the header and the rows.",
        "no action needed; you can export without it",
    ),
    _file_warning(
        "rows_not_kept",
        "Rows were skipped because the column mapping doesn't keep them",
        "The mapping has conditions on rows, such as that a role is student. Rows that don't meet "
        "them are not read.",
        "if they should be read, change the conditions of the column mapping",
    ),
    _file_warning(
        "unknown_column",
        "A column isn't recognized and was ignored",
        "Its name is neither a column name nor an alias.",
        "rename it if it should be used; to hide this warning, start its name with _",
        phrase="The column {found} isn't recognized and was ignored",
    ),
    _file_warning(
        "alias_ignored",
        "A column was ignored because another one has the same meaning",
        "Its name is an alias, and the file also has the column's own name or another alias of it "
        "with the same values.",
        "remove one of the two columns; to hide this warning, start its name with _",
        phrase="The column {found} was ignored because another one has the same meaning",
    ),
    _file_warning(
        "folded_header",
        "Some column names are written differently",
        "Capitals, spaces or other characters in the header differ from the column names. The "
        "columns were recognized.",
        "no action needed",
    ),
    _file_warning(
        "nameless_ignored",
        "Empty columns without a name were ignored",
        "Spreadsheets export empty columns that were used once.",
        "no action needed",
    ),
    _file_warning(
        "nameless_column",
        "A column without a name was ignored",
        "There are values below an empty header cell. Data tools such as pandas and R write the "
        "numbers of rows there.",
        "name the column in the header if it should be used",
    ),
    _file_warning(
        "mixed_line_ends",
        "The file has different kinds of line breaks",
        "CRLF, LF or CR appear in the same file, which happens when files are joined.",
        "no action needed",
    ),
    _file_warning(
        "comma_lines",
        "Lines that contain only commas were skipped",
        "Spreadsheets export them for rows that were cleared.",
        "no action needed",
    ),
    _file_warning(
        "surplus_commas",
        "Rows end with more commas than the header",
        "The surplus cells are empty and were ignored. A surplus cell with a value is an error.",
        "no action needed",
    ),
    _file_warning(
        "joined_files",
        "The header appears several times",
        "Several files were joined. The repeated headers are rejected as rows.",
        "join the files without their headers",
    ),
    _file_warning(
        "mixed_date_orders",
        "Some dates have the month first and some the day first",
        "Dates that can be read only one way are used. Those that could mean two days, such as "
        "05/06/2013, are rejected.",
        "write all dates the same way, or as yyyy-mm-dd",
    ),
    _file_warning(
        "space_before_quote",
        "There are spaces between commas and quotation marks",
        "The spaces were ignored, but a comma inside such a cell would split it in two.",
        "export without spaces after the commas",
    ),
    _file_warning(
        "quote_in_cell",
        "There is a quotation mark inside a cell without quotes",
        "It was read as part of the value.",
        "no action needed if the value is correct",
    ),
    _file_warning(
        "school_without_rows",
        "A school has students, but the file has no row for it",
        "In full sync, nobody at such a school is counted as missing. The school may be missing in "
        "the export, or it is closed.",
        "add the school to the export; if it is closed, deactivate or move its students",
        phrase="The file has no row for the school {found}",
    ),
    _file_warning(
        "absences_few_named",
        "The file names less than half of the active students",
        "So it isn't the full roster, and nobody was counted as missing.",
        "send the file with all students in full sync, and parts of it in another mode",
    ),
    _file_warning(
        "absences_many_rejected",
        "More than 5% of the rows were rejected and match no student",
        "Students who are only in such rows would seem to be missing, so nobody was counted.",
        "fix the rejected rows; the next file counts again",
    ),
    _file_warning(
        "absences_repeated_rows",
        "The file repeats rows of another update",
        "It contains corrected or held rows, not the full roster, so nobody was counted as "
        "missing.",
        "no action needed",
    ),
    _file_warning(
        "absences_status_protected",
        "The token may not change STATUS",
        "So nobody was counted as missing or deactivated.",
        "create a token without this limit if its files should deactivate students",
    ),
    _file_warning(
        "removals_postponed",
        "More students are due to be deactivated than a limit allows",
        "The rest of the file was applied, and nobody was deactivated for being missing. The "
        "students stay on the list of missing students, and the next file tries again.",
        "review the missing students; if they have left, expect changes of STATUS once, or raise "
        "the limit",
    ),
)
