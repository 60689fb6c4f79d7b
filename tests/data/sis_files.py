"""Made-up exports in the form of student information systems, and the students in them."""

from pathlib import Path

FOLDER = Path(__file__).parent / "sis"
SIS_FILES: dict[str, tuple[str, int]] = {
    "sds-v1-student.csv": ("sds-1", 100),
    "powerschool-students.csv": ("powerschool", 20),
    "infinite-campus-students.csv": ("infinite-campus", 20),
    "oneroster-users.csv": ("oneroster-1-1", 20),
}
"""By name of the file, the preset that fits and the number of students."""

SCHOOLS = ("10001", "10002")


def roster(count: int) -> str:
    """Return a student file with the first of these students, all in another grade."""
    lines = ["STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,GENDER,GRADE,SCHOOL_ID,ELL,SPECIAL_ED"]
    known = (FOLDER / "sds-v1-student.csv").read_text(encoding="utf-8").splitlines()[1:]
    for index, line in enumerate(known[:count]):
        cells = line.split(",")
        fixed = ["FM"[index % 2], "ug", cells[1], "n", "n"]
        lines.append(",".join([cells[0], cells[2], cells[3], cells[12], *fixed]))
    return "\n".join(lines)
