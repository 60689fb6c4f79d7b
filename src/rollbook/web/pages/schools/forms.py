"""The forms of schools, and schools as the choices of a field."""

from collections.abc import Iterable

from django import forms

from rollbook.districts.models import School
from rollbook.web.pages.base.forms import FormWithReasons


class SchoolName(FormWithReasons):
    """The name of a school."""

    name = forms.CharField(label="Name")


class NewSchool(SchoolName):
    """The ID and the name of a new school."""

    organization_id = forms.CharField(
        label="Organization ID",
        help_text="The SCHOOL_ID that student files name it by; it stays the same.",
    )

    field_order = ("organization_id", "name")


def school_choices(schools: Iterable[School]) -> list[tuple[str, str]]:
    """Schools by their organization IDs, as a field offers them."""
    return [(school.organization_id, school.title) for school in schools]
