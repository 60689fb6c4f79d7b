"""Forms of schools, and the choices of a field for schools."""

from collections.abc import Iterable

from django import forms

from rollbook.districts.models import School
from rollbook.web.pages.base.forms import FormWithReasons


class SchoolName(FormWithReasons):
    """The name of a school."""

    name = forms.CharField(label="Name")


class NewSchool(SchoolName):
    """The School ID and the name of a new school."""

    organization_id = forms.CharField(
        label="School ID",
        help_text="The SCHOOL_ID in student files. It can’t be changed later.",
    )

    field_order = ("organization_id", "name")


def school_choices(schools: Iterable[School]) -> list[tuple[str, str]]:
    """Return the School ID and title of each school, as the choices of a field."""
    return [(school.organization_id, school.title) for school in schools]
