"""The rules for student files that a district has set."""

from rollbook.districts.models import District
from rollbook.studentfile.rules import DateOrder, FileRules


def file_rules(district: District) -> FileRules:
    """Return the rules by which files of the district are validated."""
    return FileRules(DateOrder(district.date_order), district.grade_codes)
