"""Where staff members work: a student is linked only with staff at the student's school."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import connection

from rollbook.accounts.permissions import RoleType
from rollbook.db.json_keys import IN_JSON_TEXTS, as_json_parameter
from rollbook.students.sql import named_query

_LOAD_STAFF_SCHOOLS = named_query("load_staff_schools", in_emails=IN_JSON_TEXTS)


@dataclass(frozen=True, slots=True)
class StaffMember:
    """Where a staff member works.

    Attributes:
        is_district_wide: Whether it's the whole district.
        schools: The School IDs; empty if it's the whole district.
    """

    is_district_wide: bool
    schools: frozenset[str]

    def works_at(self, school_id: str) -> bool:
        """Return whether the member works at a school of the district."""
        return self.is_district_wide or school_id in self.schools


def load(district_id: int, emails: Iterable[str]) -> Mapping[str, StaffMember]:
    """Return the members of a district with these emails, by email."""
    types: dict[str, RoleType] = {}
    schools: defaultdict[str, set[str]] = defaultdict(set)
    with connection.cursor() as cursor:
        cursor.execute(_LOAD_STAFF_SCHOOLS, [district_id, as_json_parameter(set(emails))])
        for email, role_type, school_id in cursor.fetchall():
            types[email] = RoleType(role_type)
            if school_id is not None:
                schools[email].add(school_id)
    return {
        email: StaffMember(role_type.is_district_wide, frozenset(schools[email]))
        for email, role_type in types.items()
    }
