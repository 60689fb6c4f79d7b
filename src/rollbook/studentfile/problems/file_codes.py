"""All problem codes of whole files, most severe first: the first error found names the refusal."""

from rollbook.studentfile.problems.codes import ProblemCode, file_error
from rollbook.studentfile.problems.feed_warnings import FEED_WARNINGS
from rollbook.studentfile.problems.file_warnings import FILE_WARNINGS

OTHER_FILE_TYPES: tuple[ProblemCode, ...] = (
    file_error(
        "spreadsheet_not_csv",
        "This is a spreadsheet, not a CSV file",
        "Only student files can be Excel or OpenDocument workbooks; files of schools and of staff "
        "members must be CSV.",
        "open it in your spreadsheet program, save it as CSV UTF-8, and upload that file",
        status=415,
    ),
    file_error(
        "xls_not_supported",
        "This kind of workbook can't be read",
        "The file is an old Excel workbook (.xls), a binary one (.xlsb) or a Numbers document. "
        "Only .xlsx and .ods workbooks are read.",
        "open it in your spreadsheet program, save it as .xlsx or CSV UTF-8, and upload that file",
        status=415,
    ),
    file_error(
        "workbook_encrypted",
        "The workbook is protected with a password",
        "An encrypted workbook can't be read without its password, and Rollbook never asks for it.",
        "remove the password in your spreadsheet program, or save it as CSV UTF-8",
        status=415,
    ),
    file_error(
        "workbook_damaged",
        "The workbook is damaged",
        "It can't be opened: the upload or download was incomplete, or the program that wrote it "
        "made mistakes.",
        "open it in a spreadsheet program, save it as .xlsx or CSV UTF-8, and upload that file",
        status=415,
    ),
    file_error(
        "workbook_too_large",
        "The workbook is too large to be read",
        "A workbook takes much memory while it is read, so its size after unpacking and its number "
        "of cells are limited. Large files should be CSV.",
        "save it as CSV UTF-8 and upload that file",
        status=413,
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
        "saved the sign-in page instead of the students. Some systems write spreadsheets as HTML.",
        "check that the export can still sign in to your SIS and writes CSV, then export again",
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
        "Every other byte, or a byte of the header, is NUL, which text never contains. Most often "
        "the file is saved as UTF-16 without a byte order mark. A NUL byte in a row rejects only "
        "that row.",
        "save it as CSV UTF-8",
    ),
    file_error(
        "cut_off",
        "The file is cut off",
        "It ends in the middle of a character, or with an error message of the program that wrote "
        "it. The export or the transfer was interrupted, so the end of the file is missing, and "
        "perhaps many students with it.",
        "export it again and send the whole file",
        phrase="The file is cut off by the error message {found}",
    ),
    file_error(
        "not_utf8",
        "The file is not saved as UTF-8",
        "Its accented letters can't be read as UTF-8, so names would be damaged. Older exports are "
        "often Windows-1252 or Mac Roman. If only a few rows of a UTF-8 file are damaged, only "
        "those rows are rejected.",
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
        "Semicolons, tabs and vertical bars are recognized if the header makes sense with them. "
        "Here we can't tell which character separates the cells.",
        "export it with commas between the cells",
    ),
    file_error(
        "header_not_found",
        "The first line is not a header",
        "No cell in the first line is a column name. The file starts with students, or the header "
        "is in another language. Titles above a header are skipped only if they can't be students.",
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
        "There is no STUDENT_ID column, but there is one whose name is misspelled or that other "
        "products use for IDs. Without it, rows could be matched with the wrong students, and "
        "students could be added without their IDs.",
        "rename the column to STUDENT_ID, or start its name with _ if it isn't needed",
    ),
    file_error(
        "mapping_columns",
        "The file lacks columns that its column mapping reads",
        "The file is to be read through a column mapping, and its header doesn't have all of the "
        "columns of the mapping, or has one of them twice.",
        "export all columns of the mapping, or change the mapping",
        phrase="The file lacks columns that the column mapping {found} reads",
    ),
    file_error(
        "missing_column",
        "No column identifies the students",
        "A file needs STUDENT_ID; or FIRST_NAME, LAST_NAME and DOB; or USERNAME.",
        "add the column STUDENT_ID; or FIRST_NAME, LAST_NAME and DOB; or USERNAME",
    ),
    file_error(
        "column_renamed",
        "A column that we need has another name",
        "Its name is misspelled or is one that other products use, and no other column has its "
        "values. They would have been ignored.",
        "rename it as suggested, or start its name with _ if it isn't needed",
        phrase="The column {found} isn't recognized",
    ),
    file_error(
        "competing_columns",
        "Two columns have the same meaning and different values",
        "Both names are aliases of the same column, so we can't tell which of the two to use.",
        "remove one of them, or rename the right one to the column's own name",
        phrase="The columns {found} have different values",
    ),
    file_error(
        "duplicate_column",
        "Two columns have the same name",
        "We can't tell which of the two to use.",
        "remove or rename one of them",
        phrase="The column {found} appears twice",
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
        'A cell starts with " and has no closing ", so the rows after it would become part of the '
        "cell, and we can't tell where its row ends.",
        'add the closing ", or double the quotation marks inside a quoted cell ("")',
    ),
    file_error(
        "bad_header_quote",
        "The header has text after a closing quotation mark",
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
        "Two files were joined: a header appears again with a byte order mark, or its columns "
        "differ from those of the first header or have another order.",
        "upload the files one after another",
    ),
    file_error(
        "structure",
        "Too many rows have a different number of cells than the header",
        "More than 20% of the rows have too few or too many cells, so the columns can't be "
        "trusted.",
        "put values that contain a comma in quotation marks, and export again",
    ),
    file_error(
        "too_many_changes",
        "The file would change more students than its token allows",
        "The file was sent with a token whose owner has limited the share of the district's "
        "students that a file may change or add. Nothing was applied.",
        "check the export; if the changes are right, upload the file in the browser, or use a "
        "token with a higher limit",
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
    file_error(
        "day_first_dates",
        "The dates of birth have the day first",
        "A date such as 13/05/2014 proves it, and no date proves that the month comes first. "
        "We expect the month first, so 05/06/2013 would be read as the wrong day.",
        'set "Date order" to day first in the district settings (date_order=dmy), or export dates '
        "as mm/dd/yyyy or yyyy-mm-dd",
        phrase="The dates of birth have the day first, as {found} proves",
    ),
    file_error(
        "month_first_dates",
        "The dates of birth have the month first",
        "A date such as 05/13/2014 proves it, and no date proves that the day comes first. The "
        "district settings say that the day comes first, so 05/06/2013 would be read as the wrong "
        "day.",
        'set "Date order" to month first in the district settings (date_order=mdy), or export '
        "dates as dd/mm/yyyy or yyyy-mm-dd",
        phrase="The dates of birth have the month first, as {found} proves",
    ),
)

FILE_CODES: tuple[ProblemCode, ...] = (*FILE_ERRORS, *FILE_WARNINGS, *FEED_WARNINGS)
