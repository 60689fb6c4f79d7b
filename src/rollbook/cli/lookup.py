"""Finds the district, staff member or student that an argument names."""

from django.conf import settings

from rollbook.accounts.auth.sign_in import fold_login
from rollbook.accounts.models import Member
from rollbook.cli.errors import CommandError
from rollbook.cli.suggestions import hint
from rollbook.districts.models import District
from rollbook.districts.suspension import DistrictSuspended, require_not_suspended
from rollbook.students.models import Student

_LOGIN_SIMILARITY = 0.9
"""All logins of a district have the same domain, so they are similar anyway."""


def require_active(district: District) -> None:
    """Check that the district isn't suspended.

    Raises:
        CommandError: It is.
    """
    try:
        require_not_suspended(district)
    except DistrictSuspended:
        raise CommandError(
            "district_suspended",
            f"{district.name} is suspended: {district.suspension_reason}; "
            f"`rollbook district resume {district.slug}` resumes it",
        ) from None


def get_district(slug: str) -> District:
    """Return the district with this short name.

    Raises:
        CommandError: There is none, or it is being deleted.
    """
    district = find_district(slug)
    if district.is_being_deleted:
        raise CommandError(
            "district_being_deleted",
            f"{district.name} is being deleted, which can't be undone; "
            f"`rollbook district delete {district.slug}` continues it",
        )
    return district


def find_district(slug: str) -> District:
    """Return the district with this short name, also if it is being deleted.

    Raises:
        CommandError: There is none; the text suggests the one with the closest short name.
    """
    district = District.objects.filter(slug=slug).first()
    if district is None:
        raise CommandError(
            "no_such_district", f"there is no district '{slug}' in {settings.DATA}; {_hint(slug)}"
        )
    return district


def get_member(email: str) -> Member:
    """Return the member with this login, with district and role.

    Args:
        email: The login, or the short name of the district and the login: ``maple-usd:ann@…``.

    Raises:
        CommandError: There is none, or there are several.
    """
    slug, separator, login = email.rpartition(":")
    found = Member.objects.select_related("district", "role").filter(email=fold_login(login))
    if separator:
        found = found.filter(district__slug=slug)
    members = list(found.order_by("district__slug")[:2])
    if len(members) > 1:
        raise CommandError(
            "ambiguous_member",
            f"'{login}' is a member of several districts, or invited to them; write "
            f"{members[0].district.slug}:{login}, for example; nothing was changed",
        )
    if not members:
        raise CommandError(
            "no_such_member",
            f"there is no member with the login '{email}', and nothing was changed; "
            f"{_login_hint(login)}",
        )
    return members[0]


def get_student(district: District, name: str) -> Student:
    """Return the student with this STUDENT_ID, or without one and with this username.

    Raises:
        CommandError: There is none.
    """
    students = Student.objects.filter(district=district)
    student = students.filter(student_id=name).first()
    student = student or students.filter(student_id=None, username=name.casefold()).first()
    if student is None:
        raise no_such_student(district, name)
    return student


def no_such_student(district: District, student_id: str) -> CommandError:
    """Return the error for a STUDENT_ID that no student has."""
    return CommandError(
        "no_such_student",
        f"{district.name} has no student with the STUDENT_ID '{student_id}'; "
        "it must match exactly, including zeros and capital letters",
    )


def _login_hint(login: str) -> str:
    logins = Member.objects.filter(erased_at=None).order_by("email")
    emails = logins.values_list("email", flat=True)
    return hint(login, emails, "`rollbook staff list` lists all of them", _LOGIN_SIMILARITY)


def _hint(slug: str) -> str:
    slugs = list(District.objects.order_by("slug").values_list("slug", flat=True))
    if slugs:
        return hint(slug.replace(" ", "-"), slugs, f"the districts are {', '.join(slugs)}")
    return 'add one with `rollbook district add "NAME"`, or name another data folder with --data'
