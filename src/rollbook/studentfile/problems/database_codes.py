"""Problems of rows that can be found only with the district's students, schools and staff."""

from rollbook.studentfile.problems.codes import ProblemCode, row_error, warning

DATABASE_PROBLEMS: tuple[ProblemCode, ...] = (
    row_error(
        "unknown_student",
        "The student doesn't exist",
        "No student in the district has this ID, name and date of birth, or username, and this "
        "update doesn't add students.",
        "check the ID, the name and date of birth, or the username; to add new students, choose to "
        "also add them, and upload a file with all the columns that they need",
    ),
    row_error(
        "ambiguous_student",
        "More than one student has this name and date of birth",
        "The row has no STUDENT_ID, and its USERNAME, if any, isn't one of theirs, so we can't "
        "tell which student it is about.",
        "fill in the STUDENT_ID",
    ),
    row_error(
        "student_id_conflict",
        "The student has another STUDENT_ID",
        "The student with this name and date of birth has a different STUDENT_ID.",
        "use the student's current STUDENT_ID; if the new one is correct, change it in Rollbook",
    ),
    row_error(
        "identity_mismatch",
        "The STUDENT_ID or USERNAME belongs to someone else",
        "Of first name, last name and date of birth, at least two differ from those of the student "
        "with this ID or username, so it was probably reused, or the column was sorted alone.",
        "check the ID or username; if both have really changed, correct the student in Rollbook "
        "first",
        phrase="{found} belongs to someone else",
    ),
    row_error(
        "names_exchanged",
        "The first name and the last name are exchanged",
        "The student with this ID, username or date of birth has the two names the other way "
        "around.",
        "check the columns FIRST_NAME and LAST_NAME of the export; if the names are the wrong way "
        "around in Rollbook, correct the student there",
    ),
    row_error(
        "similar_student_id",
        "Another student has the same STUDENT_ID except for zeros or case",
        "Spreadsheets drop leading zeros, and 00123, 123 and a7, A7 are different IDs. So the new "
        "student may already exist.",
        "use the ID as it is in Rollbook; if it's another student, add the student in Rollbook "
        "first",
        phrase="{found} is another student's ID except for zeros or case",
    ),
    row_error(
        "implausible_dob",
        "The new date of birth is less plausible than the current one",
        "It means an age that isn't between 2 and 25, and the student's current date of birth "
        "means one that is. Such dates are usually typos, or stand for a missing date.",
        "check the date of birth; if it is correct, change it in Rollbook",
        phrase="{found} means an age that isn't between 2 and 25, unlike the current date of birth",
    ),
    row_error(
        "username_taken",
        "The username is already taken",
        "Another student has it.",
        "choose another username",
    ),
    row_error(
        "name_taken",
        "Another student has this name and date of birth",
        "Only earlier versions reported this: no two students could have the same name and date of "
        "birth.",
        "upload the row again",
    ),
    row_error(
        "student_id_taken",
        "The STUDENT_ID is already taken",
        "Another student has it.",
        "correct the ID",
    ),
    row_error(
        "conflicting_duplicate",
        "The student is in the file more than once, with different values",
        "Two rows give different values in the same column. We can't tell which row is right, so "
        "none of them was applied.",
        "keep one row for each student",
    ),
    row_error(
        "unknown_school",
        "The school doesn't exist",
        "No school in the district has this School ID.",
        "check the SCHOOL_ID, or add the school first",
        phrase="{found} isn't the School ID of a school in this district",
    ),
    row_error(
        "protected_column",
        "The file may not change this column",
        "The file was sent with a token that its owner has limited: files that it sends may not "
        "change some columns of students who exist.",
        "send the value that the student has, or leave the column out; to change it, use a token "
        "without this limit, or the browser",
    ),
    row_error(
        "changed_meanwhile",
        "The student was changed in the meantime",
        "While the file was being processed, someone changed or removed the student or took the "
        "username or ID.",
        "upload the file again",
    ),
    row_error(
        "changed_since",
        "The student was changed after the plan was made",
        "A plan that a person approves does exactly what they reviewed, and since then someone "
        "changed the student.",
        "upload the file again, or wait for the next one",
    ),
    row_error(
        "waits_for_rejected",
        "The row depends on a row that was rejected",
        "Another row would have freed the username or ID, but it was rejected.",
        "fix the other row and upload both again",
    ),
    row_error(
        "internal_error",
        "Rollbook couldn't process the row",
        "This is a problem on our side, not in your file. The other rows were processed.",
        "upload the file again; if the problem persists, report it with its reference number",
    ),
    warning(
        "duplicate_row",
        "The student is in the file more than once",
        "The rows don't contradict each other: in each column they give the same value, or only "
        "one of them gives any. They were applied together, as one row.",
        "keep one row for each student",
    ),
    warning(
        "inactive_student",
        "The student is inactive",
        "The row was applied, but it has no STATUS, so the student stays inactive and can't sign "
        "in. Every file warns again until it says what is right.",
        "write STATUS=active if the student is back, or STATUS=inactive if not; a district can "
        "also choose in its settings to reactivate such students",
        phrase="The student {found} is inactive",
    ),
    warning(
        "inactive_but_named",
        "The student is inactive, and the file names the student",
        "A person or a STATUS in a file made the student inactive, so the student stays inactive. "
        "Students who were deactivated because files didn't name them are active again instead.",
        "reactivate the student on the student's page or write STATUS=active; write "
        "STATUS=inactive if the student has left",
        phrase="The student {found} is inactive, and the file names the student",
    ),
    warning(
        "possible_duplicate",
        "Another student has the same name and date of birth, or nearly the same",
        "Accents, apostrophes, hyphens, spaces, the order of the names, and the order of the "
        "digits in the date make no difference here. The row was applied.",
        "check whether the two are the same person",
    ),
    warning(
        "names_may_be_exchanged",
        "The first and last name may be exchanged",
        "A student with the same date of birth has the two names the other way around.",
        "check the columns FIRST_NAME and LAST_NAME of the export",
    ),
    warning(
        "one_name",
        "The new student has only one name",
        "The other name is -, a period or blank.",
        "check that the name isn't missing in the export",
    ),
    warning(
        "unknown_staff",
        "The staff member doesn't exist",
        "No staff member in the district has this email, so the student wasn't linked.",
        "check the email, or add the staff member first",
        phrase="{found} isn't the email of a staff member in this district",
    ),
    warning(
        "staff_elsewhere",
        "The staff member doesn't work at the student's school",
        "In Rollbook, the staff member works at other schools only, so the student wasn't linked.",
        "check the email and the SCHOOL_ID, or add the school to the staff member",
        phrase="{found} doesn't work at the student's school",
    ),
    warning(
        "ambiguous_groups",
        "An & could be part of a group's name",
        "The cell contains an & and no school of the district has any of the groups that it would "
        "separate, so it could be one name, such as Arts & Crafts. The student's groups weren't "
        "changed; the rest of the row was applied.",
        "write && for an & in a name; for several groups, join them by ; or add them to the school "
        "first",
        phrase="{found} could be one group or several",
    ),
    warning(
        "new_groups",
        "Groups were added because of an & in the cell",
        "The cell contains an &, which separates groups, and some of them are new. Reported once "
        "for each group.",
        "check the groups; write && for an & in a name",
        phrase="{found}: new groups were added because of an & in the cell",
    ),
)
