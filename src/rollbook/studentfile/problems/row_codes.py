"""All problem codes of rows: first those of a row by itself, then those that need the database."""

from rollbook.studentfile.problems.codes import ProblemCode, row_error, warning
from rollbook.studentfile.problems.database_codes import DATABASE_PROBLEMS
from rollbook.studentfile.problems.undo_codes import UNDO_PROBLEMS

SHAPE_ERRORS: tuple[ProblemCode, ...] = (
    row_error(
        "too_few_cells",
        "The row has fewer cells than the header",
        "A comma is missing, or the line was cut off.",
        "give the row one cell for each column; an empty cell changes nothing",
    ),
    row_error(
        "too_many_cells",
        "The row has more cells than the header",
        "Most often a value contains a comma and isn't in quotation marks.",
        'put values that contain a comma in quotation marks, as in "Smith, Jr."',
    ),
    row_error(
        "bad_quote",
        "There is text after a closing quotation mark, or a quotation mark isn't closed",
        'After the closing " of a cell, only a comma or the end of the line is allowed. The row '
        "ends with its line, so only this row is rejected.",
        'double the quotation marks inside a quoted cell (""), and close each one',
        phrase="{found} has a quotation mark that isn't doubled",
    ),
    row_error(
        "nul_byte",
        "The row contains a NUL byte",
        "Text never contains it, so the value is damaged or was filled up by a program.",
        "remove it in your SIS or in the export",
    ),
    row_error(
        "header_again",
        "The header appears again",
        "Two files were joined, or the export repeats the header.",
        "remove the line",
    ),
    row_error(
        "other_header",
        "A header with other columns appears",
        "Two files with different columns were joined, so the rows below it can't be read. In an "
        "update, the whole file is not accepted (`second_header`).",
        "upload the files one after another",
    ),
    row_error(
        "newline_in_field",
        "A cell contains a line break",
        "A value in quotation marks continues on the next line. In free text the lines are joined.",
        "write the value on one line",
    ),
    row_error(
        "field_too_long",
        "A cell is too long",
        "The length of a cell is limited.",
        "shorten the value",
    ),
    row_error(
        "no_key",
        "The row doesn't identify a student",
        "STUDENT_ID and USERNAME are blank, and so is FIRST_NAME, LAST_NAME or DOB.",
        "fill in STUDENT_ID; or FIRST_NAME, LAST_NAME and DOB; or USERNAME",
    ),
)

DAMAGE_ERRORS: tuple[ProblemCode, ...] = (
    row_error(
        "excel_scientific",
        "A spreadsheet rounded a number",
        "Spreadsheets display long IDs as 1.23E+05 and lose digits.",
        "format the column as text and export again",
        phrase="{found} is a number that a spreadsheet rounded",
    ),
    row_error(
        "excel_number",
        "A spreadsheet turned an ID into a number",
        "In a column of numbers the ID 123 becomes 123.0, and leading zeros are lost.",
        "format the column as text and export again",
        phrase="{found} is an ID that a spreadsheet turned into a number",
    ),
    row_error(
        "excel_error",
        "The cell contains a spreadsheet error",
        "A formula failed or the column was too narrow, and the error was exported instead of the "
        "value.",
        "correct the cell in the spreadsheet and export again",
        phrase="{found} is a spreadsheet error, not a value",
    ),
    row_error(
        "formula",
        "The cell looks like a formula",
        "A spreadsheet that opens the file would run it. No value can start with =. Names, IDs "
        "and usernames also can't start with + or @, or with a minus sign and a digit.",
        "export the value as plain text",
        phrase="{found} looks like a formula",
    ),
    row_error(
        "control_char",
        "The cell contains a control character",
        "Values can't contain tabs, escapes or other control characters.",
        "remove the character in your SIS",
    ),
    row_error(
        "invisible_char",
        "The cell contains an invisible character",
        "There is a zero-width character, a direction mark or a no-break space in a value that "
        "must match exactly.",
        "type the value again in your SIS",
    ),
    row_error(
        "damaged_text",
        "A value is damaged",
        "Letters were lost or changed on the way. ? or � for a letter: the export can't write "
        "letters with accents. Ã©, √© or ├⌐ for é: its UTF-8 was read as Windows-1252, as Mac "
        "Roman or as a DOS code page. `&eacute;`, %27, \\' or =C3=A9: codes of a web page, an "
        "address, a program or an email were left in. What is stored isn't replaced.",
        "correct the export and send the file again: ? for a letter means that it can't write "
        "accents (Export-Csv needs -Encoding UTF8), Ã© or √© that its UTF-8 was read as another "
        "encoding, and HTML codes, %27 or \\' that text was copied with its codes",
        phrase="{found} is damaged",
    ),
    row_error(
        "excel_date",
        "A spreadsheet turned a value into a date",
        "Spreadsheets read 3-5 or MAR5 as a date and export 5-Mar, or the date with a time.",
        "format the column as text and export again",
        phrase="{found} is a value that a spreadsheet turned into a date",
    ),
    row_error(
        "masked_password",
        "The export hides passwords",
        "The cell contains only stars, dots or x, a word such as [hidden], or a hash. It would "
        "become the student's password.",
        "leave out the PASSWORD column, or export the passwords themselves",
    ),
    row_error(
        "placeholder",
        "The cell contains a placeholder instead of a value",
        "Some exports write NULL, (blank), N/A or - if there is no value. In optional columns this "
        "counts as blank. A name can be - only if the other one is a single word.",
        "leave the cell blank",
        phrase="{found} is a placeholder, not a value",
    ),
    row_error(
        "non_ascii_id",
        "The ID contains a character that isn't allowed",
        "IDs can contain A-Z, a-z, 0-9 and . _ - only. Letters of other alphabets can look the "
        "same and still be different.",
        "type the ID again with plain letters and digits",
        phrase="{found} contains a character that isn't allowed in an ID",
    ),
)

VALUE_ERRORS: tuple[ProblemCode, ...] = (
    row_error(
        "bad_student_id",
        "A student ID isn't valid",
        "A student ID has 1 to 64 characters: A-Z, a-z, 0-9 and . _ - without spaces.",
        "use 1 to 64 of the characters A-Z, a-z, 0-9 and . _ -",
        phrase="{found} isn't a valid student ID",
    ),
    row_error(
        "bad_school_id",
        "A School ID isn't valid",
        "A School ID has 1 to 64 characters: A-Z, a-z, 0-9 and . _ - without spaces.",
        "use the School ID of a school in your district",
        phrase="{found} isn't a valid School ID",
    ),
    row_error(
        "bad_username",
        "A username isn't valid",
        "A username has 2 to 64 characters and no spaces.",
        "use 2 to 64 characters without spaces",
        phrase="{found} isn't a valid username",
    ),
    row_error(
        "weak_password",
        "The password can't be used",
        "A password has 4 to 64 characters and differs from the username and the student ID.",
        "choose another password with 4 to 64 characters",
    ),
    row_error(
        "bad_name",
        "A name isn't valid",
        "A name has 1 to 100 characters, including a letter.",
        "use 1 to 100 characters, including a letter",
        phrase="{found} isn't a valid name",
    ),
    row_error(
        "bad_initial",
        "The middle initial isn't a single letter",
        "MIDDLE_INITIAL contains one letter, with or without a period.",
        "use one letter",
        phrase="{found} isn't a single letter",
    ),
    row_error(
        "bad_date",
        "A date isn't valid",
        "The day doesn't exist, or day, month and year are in another order.",
        "use mm/dd/yyyy",
        phrase="{found} isn't a valid date",
    ),
    row_error(
        "ambiguous_date",
        "A date could mean two days",
        "Other dates in the file have the month first, and others the day first. 05/06/2013 could "
        "be May 6 or June 5.",
        "write the date as yyyy-mm-dd",
        phrase="{found} could mean two days, because the file contains both mm/dd/yyyy and "
        "dd/mm/yyyy",
    ),
    row_error(
        "null_date",
        "A database wrote this date because it has none",
        "Databases write 1900-01-01, 1899-12-30, 0001-01-01 or 9999-12-31 if there is no date. If "
        "most rows have 1970-01-01, it means the same.",
        "enter the date of birth, or leave the cell blank to keep the current one",
        phrase="{found} is what databases write if there is no date",
    ),
    row_error(
        "time_of_day",
        "A date of birth has a time",
        "A date of birth has no time. A time other than midnight often means that the date was "
        "converted to another time zone, and it could be a day off.",
        "export only the date",
        phrase="{found} has a time, and a date of birth has none",
    ),
    row_error(
        "ambiguous_year",
        "The year has only two digits",
        "12/21/01 could mean 1901 or 2001.",
        "write the year with four digits",
        phrase="{found} has a two-digit year",
    ),
    row_error(
        "excel_serial_date",
        "A spreadsheet turned a date into a number",
        "Spreadsheets store dates as numbers: 05/13/2014 becomes 41772 if the cell is formatted "
        "as a number.",
        "format the column as a date and export again",
        phrase="{found} is a date that a spreadsheet turned into a number",
    ),
    row_error(
        "future_date",
        "The date of birth is in the future",
        "A student can't be born after today.",
        "correct the date",
        phrase="{found} is in the future",
    ),
    row_error(
        "bad_value",
        "A value isn't recognized",
        "The column accepts only the values in its list.",
        "use a value from the column's list",
        phrase="{found} isn't a {noun} we recognize",
    ),
    row_error(
        "bad_email",
        "An email address isn't valid",
        "The cell must contain exactly one address, such as name@example.org.",
        "enter one address, without spaces",
        phrase="{found} isn't a valid email address",
    ),
    row_error(
        "text_too_long",
        "The text is too long",
        "The length of the text in this column is limited.",
        "shorten the text",
        phrase="{found} is too long",
    ),
    row_error(
        "not_clearable",
        "The column can't be cleared",
        "<clear> works only in optional columns.",
        "enter a value, or leave the cell blank to keep the current one",
    ),
    row_error(
        "required",
        "A value is missing",
        "A new student needs it.",
        "fill in the cell, or add the column if the file doesn't have it",
        phrase="{found} is missing",
    ),
)

VALUE_WARNINGS: tuple[ProblemCode, ...] = (
    warning(
        "value_kept",
        "A value in an optional column can't be used",
        "The field keeps its current value, or stays blank for a new student. The rest of the row "
        "is applied.",
        "correct the value in your SIS",
        phrase="{found} can't be used",
    ),
    warning(
        "placeholder_blank",
        "An optional column contains placeholders, which count as blank",
        "Some exports write NULL, N/A, none or - if there is no value. Reported once for each "
        "column; a blank cell changes nothing.",
        "no action needed; better leave such cells blank",
        phrase="{found} is a placeholder and counts as blank",
    ),
    warning(
        "list_separator",
        "The values of a list are separated by another character than &",
        "The cell contains ; or | (or commas between emails) and no &, so it was read as a list. "
        "Reported once for each column.",
        "no action needed; lists are joined by &",
        phrase="{found} was read as a list",
    ),
    warning(
        "line_breaks_joined",
        "Line breaks or tabs in free text were replaced by spaces",
        "Free text is stored on one line. Reported once for each column.",
        "no action needed",
    ),
    warning(
        "trimmed",
        "Spaces around an ID were removed",
        "The ID was used without the spaces before and after it.",
        "export the ID without spaces",
    ),
    warning(
        "possible_rounding",
        "A long number ends in 0 and may have been rounded",
        "Spreadsheets keep 15 digits and replace the others with zeros.",
        "compare the ID with your SIS; format the column as text",
        phrase="{found} may have been rounded by a spreadsheet",
    ),
    warning(
        "looks_double_encoded",
        "Some letters look damaged",
        "In updates before version 0.3: UTF-8 text was read with another encoding and saved again, "
        "so that é became Ã©. Since then such values are damaged_text.",
        "check the encoding of the export",
        phrase="{found} looks damaged",
    ),
    warning(
        "possible_placeholder",
        "The name could be a placeholder",
        "Null, None and Unknown are names of some people, but exports also write them if there is "
        "no value.",
        "check the name",
        phrase="{found} could be a placeholder",
    ),
    warning(
        "markup",
        "The value contains HTML",
        "It was stored and is displayed as plain text; nothing is run.",
        "check the value",
    ),
    warning(
        "time_dropped",
        "There is a time after the date",
        "Spreadsheets and databases add midnight. Only the date was used.",
        "export only the date",
        phrase="{found} has a time after the date",
    ),
    warning(
        "unusual_age",
        "The student's age isn't between 2 and 25",
        "Dates of birth outside this range are usually typos.",
        "check the date of birth",
        phrase="{found} means an age that isn't between 2 and 25",
    ),
)

ROW_CODES: tuple[ProblemCode, ...] = (
    *SHAPE_ERRORS,
    *DAMAGE_ERRORS,
    *VALUE_ERRORS,
    *VALUE_WARNINGS,
    *DATABASE_PROBLEMS,
    *UNDO_PROBLEMS,
)
