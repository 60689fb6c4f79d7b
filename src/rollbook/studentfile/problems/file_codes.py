"""All problem codes of whole files, most severe first: the first error found names the refusal."""

from rollbook.studentfile.problems.codes import ProblemCode, Scope, file_error, warning

OTHER_FILE_TYPES: tuple[ProblemCode, ...] = (
    file_error(
        "spreadsheet_not_csv",
        "This is a spreadsheet, not a CSV file",
        "The file is an Excel or OpenDocument workbook, whatever its name ends in.",
        "open it in your spreadsheet program, save it as CSV UTF-8, and upload that file",
        status=415,
    ),
    file_error(
        "archive_not_csv",
        "This is a compressed archive, not a CSV file",
        "The file is a zip, gzip, 7z or other archive. Rollbook doesn't open archives.",
        "unzip it and upload the CSV file inside",
        status=415,
    ),
    file_error(
        "document_not_csv",
        "This is a document, not a CSV file",
        "The file is a PDF, RTF or PostScript document.",
        "export the students as CSV UTF-8 and upload that file",
        status=415,
    ),
    file_error(
        "web_page_not_csv",
        "This is a web page, not a CSV file",
        "The file contains HTML. Most often the export script could not sign in to your SIS and "
        "saved the sign-in page instead of the students.",
        "check that the export can still sign in to your SIS, then export again",
        status=415,
    ),
    file_error(
        "data_not_csv",
        "This is XML or JSON, not a CSV file",
        "The file contains structured data in another format.",
        "choose CSV as the format of the export",
        status=415,
    ),
    file_error(
        "binary_not_csv",
        "This is not a text file",
        "The file is an image, a program, a database or something else that isn't text.",
        "export the students as CSV UTF-8 and upload that file",
        status=415,
    ),
)

FILE_ERRORS: tuple[ProblemCode, ...] = (
    *OTHER_FILE_TYPES,
    file_error(
        "too_large",
        "The file is larger than allowed",
        "The size of a file is limited.",
        "split the file by school and upload the parts one after another",
        status=413,
    ),
    file_error(
        "empty_file",
        "The file is empty",
        "It contains no bytes, or only blank lines, spaces and commas.",
        "find out why the export is empty; no student was changed",
    ),
    file_error(
        "nul_bytes",
        "The file contains NUL bytes",
        "Text never contains them. Most often the file is saved as UTF-16 without a byte order "
        "mark.",
        "save it as CSV UTF-8",
    ),
    file_error(
        "not_utf8",
        "The file is not saved as UTF-8",
        "Some of its characters can't be read as UTF-8, so names would be damaged. Older exports "
        "are often Windows-1252 or Mac Roman.",
        "save it as CSV UTF-8, or set the encoding in the district settings",
    ),
    file_error(
        "wrong_encoding",
        "The file has another encoding than expected",
        "The district settings or the file's byte order mark name an encoding, and some of the "
        "bytes are invalid in it.",
        "save it as CSV UTF-8, or correct the encoding in the district settings",
    ),
    file_error(
        "wrong_delimiter",
        "The cells are not separated by commas",
        "The header is separated by semicolons, tabs or vertical bars. Spreadsheets use those in "
        "some countries.",
        "export it with commas between the cells",
    ),
    file_error(
        "header_not_found",
        "The first line is not a header",
        "No cell in the first line is a column name. The file starts with a title or with "
        "students, or the header is in another language.",
        "make the first line a header with column names such as STUDENT_ID, FIRST_NAME, "
        "LAST_NAME and DOB",
    ),
    file_error(
        "wrong_file_type",
        "This is a staff file, not a student file",
        "The header has columns that only staff files have.",
        "upload the student file here",
    ),
    file_error(
        "key_column_renamed",
        "The column with student IDs has another name",
        "There is no STUDENT_ID column, but there is one with the name that other products use. "
        "Without it, rows could be matched with the wrong students.",
        "rename the column to STUDENT_ID",
    ),
    file_error(
        "missing_column",
        "No column identifies the students",
        "A file needs STUDENT_ID; or FIRST_NAME, LAST_NAME and DOB; or USERNAME.",
        "add the column STUDENT_ID; or FIRST_NAME, LAST_NAME and DOB; or USERNAME",
    ),
    file_error(
        "duplicate_column",
        "Two columns have the same name",
        "We can't tell which of the two to use. An alias counts as the same name.",
        "remove or rename one of them",
        phrase="The column {found} appears twice",
    ),
    file_error(
        "nameless_column",
        "A column has values but no name",
        "An empty header cell is fine only if all cells below it are empty too.",
        "name the column in the header, or delete its values",
    ),
    file_error(
        "too_many_columns",
        "The file has more columns than allowed",
        "The number of columns is limited.",
        "remove the columns you don't need",
    ),
    file_error(
        "unclosed_quote",
        "A quotation mark is never closed",
        'A cell starts with " and has no closing ", so the rest of the file would become one '
        "cell. A cell with more than five lines also counts as unclosed.",
        'add the closing ", or double the quotation marks inside a quoted cell ("")',
    ),
    file_error(
        "bad_quote",
        "There is text after a closing quotation mark",
        'After the closing " of a cell, only a comma or the end of the line is allowed.',
        'double the quotation marks inside a quoted cell ("")',
    ),
    file_error(
        "row_too_long",
        "A row is longer than allowed",
        "The size of a row is limited. Often the line breaks between rows are missing.",
        "check the line breaks in the export",
    ),
    file_error(
        "second_header",
        "There is a second header in the middle of the file",
        "A byte order mark and a header appear again, so two files were joined.",
        "upload the files one after another, or join them without the second header",
    ),
    file_error(
        "structure",
        "Too many rows have a different number of cells than the header",
        "More than 20% of the rows have too few or too many cells, so the columns can't be "
        "trusted.",
        "put values that contain a comma in quotation marks, and export again",
    ),
    file_error(
        "names_swapped",
        "First and last names are exchanged",
        "In most rows whose students exist, FIRST_NAME contains the last name and LAST_NAME the "
        "first name.",
        "exchange the names of the two columns, and upload the file again",
    ),
    file_error(
        "no_rows",
        "The file has a header but no students",
        "Students are never deactivated because an export is empty.",
        "find out why the export has no students; no student was changed",
    ),
    file_error(
        "too_many_rows",
        "The file has more rows than allowed",
        "The number of rows is limited.",
        "split the file by school and upload the parts one after another",
    ),
)


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
        "unknown_column",
        "A column isn't recognized and was ignored",
        "Its name is neither a column name nor an alias.",
        "rename it if it should be used; to hide this warning, start its name with _",
        phrase="The column {found} isn't recognized and was ignored",
    ),
    _file_warning(
        "folded_header",
        "Some column names are written differently",
        "Capitals, spaces or hyphens in the header differ from the column names, or it contains "
        "invisible characters. The columns were recognized.",
        "no action needed",
    ),
    _file_warning(
        "nameless_ignored",
        "Empty columns without a name were ignored",
        "Spreadsheets export empty columns that were used once.",
        "no action needed",
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
        "joined_files",
        "The header appears several times",
        "Several files were joined. The repeated headers are rejected as rows.",
        "join the files without their headers",
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
)

FILE_CODES: tuple[ProblemCode, ...] = (*FILE_ERRORS, *FILE_WARNINGS)
