"""Every problem a row can have: first those seen in the row alone, then those seen beside the enrolled students."""

from rollbook.studentfile.problems.codes import ProblemCode, row_error, warning

SHAPE: tuple[ProblemCode, ...] = (
    row_error(
        "too_few_cells",
        "The row has fewer cells than the header",
        "A comma is missing, or the line was cut off.",
        "give the row one cell for each column; an empty cell changes nothing",
    ),
    row_error(
        "too_many_cells",
        "The row has more cells than the header",
        "Most often a value contains a comma and is not quoted.",
        'quote values that contain a comma, as in "Smith, Jr."',
    ),
    row_error(
        "header_again",
        "The header appears again",
        "Two files were joined, or an export repeats the header.",
        "remove the line",
    ),
    row_error(
        "newline_in_field",
        "A cell contains a line break",
        "A quoted cell goes on over the end of its line.",
        "write the value on one line",
    ),
    row_error(
        "field_too_long",
        "A cell is too long",
        "The characters of a cell are limited.",
        "shorten the value",
    ),
    row_error(
        "no_key",
        "The row names no student",
        "STUDENT_ID and USERNAME are blank, and so is FIRST_NAME, LAST_NAME or DOB.",
        "give the STUDENT_ID, or FIRST_NAME, LAST_NAME and DOB, or the USERNAME",
    ),
)

DAMAGE: tuple[ProblemCode, ...] = (
    row_error(
        "excel_scientific",
        "A number was rounded by a spreadsheet",
        "Spreadsheets turn long IDs into figures such as 1.23E+05 and lose digits.",
        "format the column as text and export again",
        phrase="{found} is a number a spreadsheet has rounded",
    ),
    row_error(
        "excel_number",
        "An ID was turned into a number by a spreadsheet",
        "123.0 is what becomes of the ID 123 in a column of numbers; leading zeros may be lost too.",
        "format the column as text and export again",
        phrase="{found} is an ID that a spreadsheet turned into a number",
    ),
    row_error(
        "excel_error",
        "The cell holds the error of a spreadsheet",
        "A formula failed, or the column was too narrow, and its error text was exported instead of the value.",
        "correct the cell in the spreadsheet and export again",
        phrase="{found} is an error text of a spreadsheet, not a value",
    ),
    row_error(
        "formula",
        "The cell begins like a formula",
        "A spreadsheet that opens the file would run it. No value may begin with =, no name, ID or username with = + @ "
        "or with a minus and a digit.",
        "export the value itself, as plain text",
        phrase="{found} begins like a formula",
    ),
    row_error(
        "control_char",
        "The cell contains a control character",
        "Tabs, escapes and other invisible control codes have no place in a value.",
        "remove the character in the student information system",
    ),
    row_error(
        "invisible_char",
        "The cell contains an invisible character",
        "A zero-width or direction character or a no-break space stands inside a value that is compared exactly.",
        "type the value again in the student information system",
    ),
    row_error(
        "damaged_text",
        "A character of the value is lost",
        "The cell contains the replacement character that a program writes when it cannot read a letter.",
        "correct the value in the student information system, and check the encoding of the export",
    ),
    row_error(
        "placeholder",
        "The cell holds a placeholder instead of a value",
        "Exports write NULL, N/A or - where they have no value.",
        "leave the cell blank",
        phrase="{found} is a placeholder, not a value",
    ),
    row_error(
        "non_ascii_id",
        "The ID contains a character other than A-Z a-z 0-9 . _ -",
        "Letters of other alphabets can look the same and yet differ, so IDs are plain ASCII.",
        "type the value again with plain letters and digits",
        phrase="{found} contains a letter or digit that is not plain ASCII",
    ),
)

VALUES: tuple[ProblemCode, ...] = (
    row_error(
        "bad_student_id",
        "This is not a student ID",
        "A student ID has 1 to 32 of A-Z a-z 0-9 . _ - and no blanks.",
        "write the ID with 1 to 32 of A-Z a-z 0-9 . _ -",
        phrase="{found} is not a student ID",
    ),
    row_error(
        "bad_school_id",
        "This is not an organization ID",
        "A SCHOOL_ID has 1 to 32 of A-Z a-z 0-9 . _ - and no blanks.",
        "write the organization ID of a school of the district",
        phrase="{found} is not an organization ID",
    ),
    row_error(
        "bad_username",
        "This is not a username",
        "A username has 2 to 64 characters and no blanks.",
        "choose 2 to 64 characters without blanks",
        phrase="{found} is not a username",
    ),
    row_error(
        "weak_password",
        "The password is not acceptable",
        "A password has 4 to 64 characters and is not the username or the student ID.",
        "choose another password of 4 to 64 characters",
    ),
    row_error(
        "bad_name",
        "This is not a name",
        "A name has 1 to 100 characters and at least one letter.",
        "write the name with 1 to 100 characters, at least one of them a letter",
        phrase="{found} is not a name",
    ),
    row_error(
        "bad_initial",
        "The middle initial is not one letter",
        "MIDDLE_INITIAL holds a single letter, with or without a full stop.",
        "write one letter",
        phrase="{found} is not one letter",
    ),
    row_error(
        "bad_date",
        "This is not a real date",
        "The day does not exist, or the parts stand in another order.",
        "write mm/dd/yyyy",
        phrase="{found} is not a real date",
    ),
    row_error(
        "ambiguous_year",
        "The year has two digits",
        "12/21/01 can mean 1901 or 2001.",
        "write the year with four digits",
        phrase="{found} has a year of two digits",
    ),
    row_error(
        "excel_serial_date",
        "The date is a spreadsheet's day number",
        "Spreadsheets count days; 41772 is what becomes of 05/13/2014 when the cell is formatted as a number.",
        "format the column as a date and export again",
        phrase="{found} is a spreadsheet's day number, not a date",
    ),
    row_error(
        "future_date",
        "The birth date lies in the future",
        "A student cannot be born after today.",
        "correct the date",
        phrase="{found} lies in the future",
    ),
    row_error(
        "bad_value",
        "The value is not one of those the column knows",
        "The column takes a closed list of values.",
        "write one of the values the documentation lists",
        phrase="{found} is not a value of this column",
    ),
    row_error(
        "bad_email",
        "This is not one e-mail address",
        "The cell takes exactly one address of the form name@example.org.",
        "write one address, without blanks",
        phrase="{found} is not one e-mail address",
    ),
    row_error(
        "text_too_long",
        "The text is too long",
        "The column takes a limited number of characters.",
        "shorten the text",
        phrase="{found} is too long",
    ),
    row_error(
        "not_clearable",
        "The column cannot be cleared",
        "<clear> empties optional columns only.",
        "give a value, or leave the cell blank to change nothing",
    ),
    row_error(
        "required",
        "A value is missing",
        "A new student needs it.",
        "fill in the cell",
        phrase="{found} is missing",
    ),
)

NOTES: tuple[ProblemCode, ...] = (
    warning(
        "trimmed",
        "Blanks around an ID were removed",
        "The ID was compared without the blanks before and after it.",
        "export the ID without blanks",
    ),
    warning(
        "possible_rounding",
        "A long number ends in 0 and may have been rounded",
        "Spreadsheets keep 15 digits and write zeros for the others.",
        "compare the ID with the student information system; format the column as text",
        phrase="{found} may have been rounded by a spreadsheet",
    ),
    warning(
        "looks_double_encoded",
        "Letters look damaged by a wrong encoding",
        "UTF-8 text was read as another encoding somewhere and written again, so that é became Ã©.",
        "check the encoding of the export",
        phrase="{found} looks damaged by a wrong encoding",
    ),
    warning(
        "possible_placeholder",
        "The name could be a placeholder",
        "Null and None are family names, and also what exports write where they have no value.",
        "check the name",
        phrase="{found} could be a placeholder",
    ),
    warning(
        "markup",
        "The value contains HTML",
        "It was stored as text and is shown as text; nothing is run.",
        "check the value",
    ),
    warning(
        "time_dropped",
        "A time stands behind the date",
        "Spreadsheets add 0:00; only the date was read.",
        "export the date alone",
        phrase="{found} has a time behind the date",
    ),
    warning(
        "unusual_age",
        "The age is not between 2 and 25",
        "Birth dates outside of this range are most often slips.",
        "check the birth date",
        phrase="{found} gives an age that is not between 2 and 25",
    ),
)

BESIDE_OTHERS: tuple[ProblemCode, ...] = (
    row_error(
        "unknown_student",
        "No such student",
        "No student of the district has this ID, name and birth date, or username. An update never adds students.",
        "check the ID (or the name and birth date, or the username), or send the file with mode=add",
    ),
    row_error(
        "student_id_conflict",
        "The student has another STUDENT_ID",
        "The name and birth date are those of a student who has a different STUDENT_ID.",
        "give the student's own STUDENT_ID; change it in Rollbook if it is really new",
    ),
    row_error(
        "identity_mismatch",
        "The STUDENT_ID belongs to someone else",
        "First name, last name and birth date all differ from those of the student with this ID: the ID seems to have "
        "been used again.",
        "check the ID; correct the student in Rollbook first if all three are really new",
    ),
    row_error(
        "username_taken",
        "The username is taken",
        "Another student has it.",
        "choose another username",
    ),
    row_error(
        "name_taken",
        "Another student has this name and birth date",
        "First name, last name and birth date together are unique in the district.",
        "check whether the two are one person; a STUDENT_ID does not tell them apart",
    ),
    row_error(
        "student_id_taken", "The STUDENT_ID is taken", "Another student has it.", "correct the ID"
    ),
    row_error(
        "conflicting_duplicate",
        "The student is in the file more than once, with different values",
        "It is not clear which row is right, so none of them is applied.",
        "keep one row for each student",
    ),
    row_error(
        "unknown_school",
        "No such school",
        "The district has no school with this organization ID.",
        "check the SCHOOL_ID, or add the school first",
        phrase="{found} is not the organization ID of a school of the district",
    ),
    row_error(
        "changed_meanwhile",
        "The student was changed meanwhile",
        "Someone edited or removed the student, or took the name, between checking and applying.",
        "send the file again",
    ),
    row_error(
        "waits_for_rejected",
        "The row needs a name that a rejected row still holds",
        "The username, name or ID would have been freed by another row of the file, and that row was rejected.",
        "repair the other row and send both again",
    ),
    row_error(
        "internal_error",
        "Rollbook could not process the row",
        "This is our fault, not the file's; the other rows went on.",
        "send the file again, and report the reference number if it stays so",
    ),
    warning(
        "duplicate_row",
        "The same row is in the file more than once",
        "The second one changes nothing.",
        "keep one row for each student",
    ),
    warning(
        "unknown_staff",
        "No such member",
        "No member of the district has this login e-mail, so the link was left out.",
        "check the address, or add the member first",
        phrase="{found} is not a member of the district",
    ),
)

ROW_CODES: tuple[ProblemCode, ...] = (*SHAPE, *DAMAGE, *VALUES, *NOTES, *BESIDE_OTHERS)
