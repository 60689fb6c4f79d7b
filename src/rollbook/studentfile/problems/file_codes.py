"""Every problem a whole file can have; the order is that of weight: of several, the first one names the refusal."""

from rollbook.studentfile.problems.codes import ProblemCode, Scope, file_error, warning

OTHER_FILE_TYPES: tuple[ProblemCode, ...] = (
    file_error(
        "spreadsheet_not_csv",
        "This is a spreadsheet, not a CSV file",
        "The file's content is that of an Excel or OpenDocument workbook, whatever its name says.",
        "open it and save it as CSV UTF-8 (comma-separated), then send that file",
        status=415,
    ),
    file_error(
        "archive_not_csv",
        "This is a compressed archive, not a CSV file",
        "The file's content is that of a zip, gzip, 7z or another archive. Archives are never opened.",
        "unpack it and send the CSV file inside",
        status=415,
    ),
    file_error(
        "document_not_csv",
        "This is a document, not a CSV file",
        "The file's content is that of a PDF, RTF or PostScript document.",
        "export the students as CSV UTF-8 and send that file",
        status=415,
    ),
    file_error(
        "web_page_not_csv",
        "This is a web page, not a CSV file",
        "The file's content is HTML. Often the student information system answered the export script with its "
        "sign-in page, and the script saved that.",
        "check that the export can still sign in, then export again",
        status=415,
    ),
    file_error(
        "data_not_csv",
        "This is XML or JSON, not a CSV file",
        "The file's content is structured data of another format.",
        "choose CSV as the format of the export",
        status=415,
    ),
    file_error(
        "binary_not_csv",
        "This is not a text file",
        "The file's content is an image, a program, a database or other bytes that are not text.",
        "export the students as CSV UTF-8 and send that file",
        status=415,
    ),
)

REFUSALS: tuple[ProblemCode, ...] = (
    *OTHER_FILE_TYPES,
    file_error(
        "too_large",
        "The file is larger than allowed",
        "A file may have a limited number of bytes; the limit is named in the message.",
        "split the file by school and send the parts one after the other",
        status=413,
    ),
    file_error(
        "empty_file",
        "The file is empty",
        "It has no bytes, or nothing but blank lines, spaces and commas.",
        "check why the export wrote nothing; no student was touched",
    ),
    file_error(
        "nul_bytes",
        "The file contains NUL bytes",
        "Text never contains them. Most often the file is UTF-16 without a byte order mark.",
        "save it as CSV UTF-8",
    ),
    file_error(
        "not_utf8",
        "The file is not UTF-8",
        "Some bytes are not UTF-8, so names would be damaged. Older exports are often Windows-1252 or Mac Roman.",
        "save it as CSV UTF-8, or let the district's settings name the encoding",
    ),
    file_error(
        "wrong_encoding",
        "The file is not in the encoding it should be in",
        "The district's settings, or the file's byte order mark, name an encoding, and some bytes do not belong to it.",
        "save it as CSV UTF-8, or correct the encoding in the settings",
    ),
    file_error(
        "wrong_delimiter",
        "The cells are not separated by commas",
        "The header is separated by semicolons, tabs or bars; spreadsheets do that in some countries.",
        "export it with commas between the cells",
    ),
    file_error(
        "header_not_found",
        "The first line is not a header",
        "No cell of the first line is the name of a column. The file begins with a title, or with students, or its "
        "header is in another language.",
        "make the first line the header, with column names such as STUDENT_ID, FIRST_NAME, LAST_NAME, DOB",
    ),
    file_error(
        "wrong_file_type",
        "This is not a student file",
        "The header is that of a staff file.",
        "send the file of students here",
    ),
    file_error(
        "key_column_renamed",
        "The column with the student IDs has another name",
        "There is no STUDENT_ID column, but one by which other products name it. Ignoring it could match the wrong "
        "students, so nothing is guessed.",
        "rename the column to STUDENT_ID",
    ),
    file_error(
        "missing_column",
        "No column says which student a row means",
        "A file needs STUDENT_ID, or FIRST_NAME, LAST_NAME and DOB, or USERNAME.",
        "add the column STUDENT_ID, or FIRST_NAME, LAST_NAME and DOB, or USERNAME",
    ),
    file_error(
        "duplicate_column",
        "Two columns have the same name",
        "It is not clear which of the two is meant; an alias counts as the same name.",
        "remove or rename one of them",
        phrase="The column {found} is there twice",
    ),
    file_error(
        "nameless_column",
        "A column has cells but no name",
        "Empty header cells are fine as long as all cells below them are empty too.",
        "name the column in the header, or remove its cells",
    ),
    file_error(
        "too_many_columns",
        "The header has more columns than allowed",
        "The number of columns is limited; the limit is named in the message.",
        "leave out the columns that are not needed",
    ),
    file_error(
        "unclosed_quote",
        "A quote is opened and never closed",
        'A cell begins with " and the closing quote is missing, so the rest of the file would become one cell. '
        "A cell over more than five lines counts as unclosed too.",
        "close the quote, or double it inside a quoted cell",
    ),
    file_error(
        "bad_quote",
        "There is text after a closing quote",
        'After the closing " of a cell only a comma or the end of the line may follow.',
        'double the quotes inside a quoted cell ("")',
    ),
    file_error(
        "row_too_long",
        "A row is longer than allowed",
        "The bytes of a row are limited; the limit is named in the message. Often the line breaks got lost.",
        "check the line breaks of the export",
    ),
    file_error(
        "second_header",
        "A second header stands in the middle of the file",
        "A byte order mark and the header appear again: two files were joined.",
        "send the files one after the other, or join them without the second header",
    ),
    file_error(
        "structure",
        "Too many rows do not have as many cells as the header",
        "More than 20 % of the rows have too few or too many cells, so the file as a whole cannot be trusted.",
        "quote cells that contain commas, and export again",
    ),
    file_error(
        "no_rows",
        "The file has a header and no students",
        "Nothing is deactivated because of an empty export.",
        "check why the export found no students; no student was touched",
    ),
    file_error(
        "too_many_rows",
        "The file has more rows than allowed",
        "The number of rows is limited; the limit is named in the message.",
        "split the file by school and send the parts one after the other",
    ),
)


def _file_warning(code: str, title: str, cause: str, repair: str, phrase: str = "") -> ProblemCode:
    return warning(code, title, cause, repair, phrase, Scope.FILE)


WARNINGS: tuple[ProblemCode, ...] = (
    _file_warning(
        "utf16_decoded",
        "The file is UTF-16 and was decoded",
        "Spreadsheets write UTF-16 as 'Unicode Text'.",
        "better save it as CSV UTF-8",
    ),
    _file_warning(
        "double_bom",
        "The file begins with two byte order marks",
        "A script added a mark to a file that had one.",
        "write it once or not at all; both were ignored",
    ),
    _file_warning(
        "unknown_column",
        "A column is not known and was ignored",
        "Its name is neither that of a column nor an alias.",
        "rename it if it should be read; a name that begins with _ is ignored silently",
        phrase="The column {found} is not known and was ignored",
    ),
    _file_warning(
        "folded_header",
        "Column names were read without regard to case, blanks and hyphens",
        "The header writes names in another way than the documentation, or with invisible characters.",
        "nothing needs to be done",
    ),
    _file_warning(
        "nameless_ignored",
        "Columns without a name and without cells were ignored",
        "Spreadsheets write commas for columns that were used once.",
        "nothing needs to be done",
    ),
    _file_warning(
        "mixed_line_ends",
        "The lines end in different ways",
        "CRLF, LF and CR were found side by side, as happens when files are joined.",
        "nothing needs to be done",
    ),
    _file_warning(
        "comma_lines",
        "Lines of nothing but commas were skipped",
        "Spreadsheets write them for rows that were emptied.",
        "nothing needs to be done",
    ),
    _file_warning(
        "joined_files",
        "The header appears again more than once",
        "Several files were joined. The repeated headers are rejected rows.",
        "join the files without their headers",
    ),
    _file_warning(
        "space_before_quote",
        "Blanks stand between commas and quotes",
        "Such a cell is read as if the blanks were not there, but a comma inside it would still cut it in two.",
        "export without blanks after the commas",
    ),
    _file_warning(
        "quote_in_cell",
        "A quote stands inside a cell that is not quoted",
        "It was read as part of the value.",
        "nothing needs to be done if the value is meant so",
    ),
)

FILE_CODES: tuple[ProblemCode, ...] = (*REFUSALS, *WARNINGS)
