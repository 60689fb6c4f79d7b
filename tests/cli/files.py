"""Builds student files for tests."""

HEADER = "STUDENT_ID,PASSWORD,FIRST_NAME,LAST_NAME,DOB,GENDER,GRADE,SCHOOL_ID,ELL,SPECIAL_ED"


def row(
    key: str,
    first: str,
    last: str,
    *,
    born: str = "05/13/2014",
    school: str = "100",
    grade: str = "4",
) -> str:
    """Return a row that belongs below HEADER."""
    return f"{key},canary-{key},{first},{last},{born},f,{grade},{school},n,n"
