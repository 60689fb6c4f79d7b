"""Send a spreadsheet as a school secretary would have it, with a real server and real curl.

``make demo-spreadsheet`` runs it. The workbook has a title line, a blank row, column names as
people write them, dates as dates, and one row with a mistake. The demo ends with every good row
applied; exit code 0 means that everything was as expected.
"""

from collections.abc import Sequence
from datetime import date

import workbook_writer
from demo import LOGIN, PASSWORD, Demo, expect, heading, run_in_temporary_folder
from workbook_writer import Cell, FiveDigits

SCHOOLS = "SCHOOL_ID,NAME\n100,Maple Elementary\n200,Maple Middle School\n"
ENROLLED = """\
STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,GENDER,GRADE,SCHOOL_ID,ELL,SPECIAL_ED
00123,Ana,Brook,05/13/2014,f,5,100,n,n
00124,Ben,Cole,11/02/2013,m,5,100,n,n
00125,Cy,Dean,01/09/2014,x,5,100,y,n
00126,Di,Ender,03/04/2014,f,5,100,n,y
"""
HEADER = (
    "Student ID",
    "First Name",
    "last name",
    "Birthdate",
    "Gender",
    "GRADE",
    "School-ID",
    "ELL",
    "Special Ed",
    "Additional Info 1",
)
ROWS: Sequence[Sequence[Cell | FiveDigits]] = (
    ("Maple Elementary: who moves up to Maple Middle School",),
    (),
    HEADER,
    ("00123", "Ana", "Brook", date(2014, 5, 13), "f", 6, 200, "n", "n", "locker 12"),
    (FiveDigits(124), "Ben", "Cole", date(2013, 11, 2), "m", 6, 200, "n", "n"),
    (FiveDigits(125), "Cy", "Dean", "1/9/2014", "X", "6", 200, "no", "no"),
    (),
    (FiveDigits(126), "Di", "Ender", date(2014, 3, 4), "f", "99", 200, "n", "y"),
    (FiveDigits(127), "Eli", "Frost", date(2014, 7, 30), "Male", 6, 200, "n", "n", "new here"),
)
WRONG_LINE = 8
FILE_NAME = "who moves up (final) 2.xlsx"
EXPECTED = {
    "00123": ["6", "200", "n", "locker 12"],
    "00124": ["6", "200", "n", ""],
    "00125": ["6", "200", "n", ""],
    "00126": ["5", "100", "n", ""],  # the row with the mistake changed nothing
    "00127": ["6", "200", "n", "new here"],
}


def run_demo(demo: Demo) -> None:
    """Write the sample files and run all steps."""
    (demo.folder / "schools.csv").write_text(SCHOOLS, encoding="utf-8")
    (demo.folder / "enrolled.csv").write_text(ENROLLED, encoding="utf-8")
    (demo.folder / "password").write_text(f"{PASSWORD}\n", encoding="utf-8")
    workbook_writer.write(demo.folder / FILE_NAME, ROWS, merged="A1:J1")

    heading("1. Set up a district with four students")
    set_up(demo)
    with demo.server():
        heading("2. The secretary's spreadsheet")
        print_rows()
        heading("3. Send it as it is")
        send(demo)
    heading("4. What was applied")
    check_students(demo)


def set_up(demo: Demo) -> None:
    """Add the district, its schools, a staff member and its students."""
    demo.run("rollbook", "district", "add", "Maple USD", "--time-zone", "America/Chicago")
    demo.run("rollbook", "school", "load", "maple-usd", "schools.csv")
    profile = ("--first", "Ana", "--last", "Ruiz", "--role", "district manager")
    password = ("--password-file", "password")
    demo.run("rollbook", "staff", "add", "maple-usd", LOGIN, *profile, *password)
    report = demo.run("rollbook", "student", "load", "maple-usd", "enrolled.csv")
    expect("4 added" in report, "four students were added")


def print_rows() -> None:
    """Print the rows of the sheet as they are shown."""
    print()
    for number, cells in enumerate(ROWS, start=1):
        print(f"    {number}  {' | '.join(map(_shown, cells))}".rstrip())


def _shown(cell: Cell | FiveDigits) -> str:
    if isinstance(cell, FiveDigits):
        return f"{cell.number:05}"
    return f"{cell:%m/%d/%Y}" if isinstance(cell, date) else str(cell or "")


def send(demo: Demo) -> None:
    """Upload the spreadsheet and wait until its update is completed."""
    answer = demo.curl("start", f'file=@"{FILE_NAME}"', "mode=add")
    expect(answer.startswith("OK update 2 accepted: 5 students"), "the spreadsheet was accepted")
    status = demo.wait_for_status("^COMPLETED")
    counts = "3 updated, 1 added, 0 unchanged, 1 rejected"
    expect("3 updated" in status and "1 added" in status, f"the result is {counts}")
    report = demo.run("rollbook", "update", "show", "maple-usd", "2")
    expect(
        f"line {WRONG_LINE}, GRADE" in report and '"99"' in report,
        "the report names the row of the sheet, the column and the value of the mistake",
    )


def check_students(demo: Demo) -> None:
    """Export all students and compare them with the good rows of the spreadsheet."""
    export = demo.run("rollbook", "student", "export", "maple-usd")
    students = _read_students(export)
    expect(students == EXPECTED, "every good row was applied, and the row with the mistake was not")


def _read_students(export: str) -> dict[str, list[str]]:
    """Return grade, school, ELL and additional information by student ID."""
    header, *lines = (line.split(",") for line in export.replace('"', "").splitlines())
    columns = [header.index(name) for name in ("GRADE", "SCHOOL_ID", "ELL", "ADDITIONAL_INFO_1")]
    students = {}
    for cells in lines:
        students[cells[header.index("STUDENT_ID")]] = [cells[index] for index in columns]
    return students


def main() -> None:
    """Run the demo."""
    seconds = run_in_temporary_folder(run_demo)
    print(f"\nDone in {seconds:.0f} s.")


if __name__ == "__main__":
    main()
