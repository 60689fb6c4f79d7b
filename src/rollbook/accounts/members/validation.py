"""Validation of a new or changed member: name, email, role and schools."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from rollbook.accounts import roles
from rollbook.accounts.auth.sign_in import MAX_LOGIN_LENGTH, fold_login
from rollbook.accounts.models import Member, Role
from rollbook.districts.models import District, School
from rollbook.districts.schools import by_name
from rollbook.text import printable
from rollbook.validation import ValidationFailed, name_problems

MAX_NAME_LENGTH = 100
_MAX_EXCERPT_LENGTH = 60


class InvalidMember(ValidationFailed):
    """The member isn't valid, or can't be changed in this way."""


@dataclass(frozen=True)
class MemberDraft:
    """The data of a member, before it is validated and saved.

    Attributes:
        district: The member's district.
        email: The login, as it was entered.
        first_name: As it was entered.
        last_name: As it was entered.
        role: The name of a role.
        schools: School IDs.
        by: Who adds or changes the member; None: the operator, who has all permissions.
    """

    district: District
    email: str
    first_name: str
    last_name: str
    role: str
    schools: tuple[str, ...]
    by: Member | None = None

    @cached_property
    def login(self) -> str:
        """The email in the form in which it is stored and compared."""
        return fold_login(self.email)

    @cached_property
    def found_role(self) -> Role | None:
        """The district's role with this name."""
        return roles.find_by_name(self.district, self.role)

    @cached_property
    def found_schools(self) -> list[School]:
        """The schools that exist and that ``by`` may assign."""
        schools = School.objects.filter(district=self.district, organization_id__in=self.schools)
        if self._has_limited_schools:
            schools = schools.filter(pk__in=cast("Member", self.by).schools.all())
        return list(schools)

    def problems(self) -> list[str]:
        """Return every reason why the member isn't valid, except an email that is in use."""
        return [
            *self._email_problems(),
            *name_problems("first name", self.first_name.strip(), MAX_NAME_LENGTH),
            *name_problems("last name", self.last_name.strip(), MAX_NAME_LENGTH),
            *(self._role_problems() or self._school_problems()),
        ]

    def copy_to(self, member: Member) -> None:
        """Copy the valid data to the member, except schools; the caller saves it."""
        member.email, member.role = self.login, cast("Role", self.found_role)
        member.first_name, member.last_name = self.first_name.strip(), self.last_name.strip()

    @property
    def _has_limited_schools(self) -> bool:
        """Whether ``by`` may only assign their own schools."""
        return self.by is not None and not self.by.role.is_district_wide

    def _email_problems(self) -> list[str]:
        try:
            EmailValidator()(self.login)
        except ValidationError:
            excerpt = printable(self.email, _MAX_EXCERPT_LENGTH)
            return [
                f"'{excerpt}' isn't an email address, or is longer than {MAX_LOGIN_LENGTH}"
                " characters"
            ]
        return []

    def _role_problems(self) -> list[str]:
        if self.found_role and (self.by is None or roles.may_assign(self.by, self.found_role)):
            return []
        choices = roles.assignable(self.by) if self.by else roles.roles_of(self.district)
        names = ", ".join(role.name for role in choices)
        if self.found_role:
            return [
                f"you can't assign the role {self.found_role}; you can assign: {names or 'none'}"
            ]
        return [f"there is no role '{self.role}'; the roles are {names}"]

    def _school_problems(self) -> list[str]:
        role = self.found_role
        if role and role.is_district_wide:
            if self.schools:
                return [f"the role {role} is for the whole district; don't choose a school"]
            return []
        if not self.schools:
            return [f"the role {role} needs a school; choose at least one"]
        existing = {school.organization_id for school in self.found_schools}
        unknown = [name for name in self.schools if name not in existing]
        place = "among your schools" if self._has_limited_schools else "in this district"
        return [f"there is no school '{name}' {place}" for name in unknown]


def email_already_used(login: str) -> InvalidMember:
    """Return the error for an email that is in use in the district."""
    return InvalidMember([f"{login} is already in use; enter another email"])


def sort_schools(schools: Iterable[School]) -> tuple[School, ...]:
    """Return the schools sorted by name."""
    return tuple(sorted(schools, key=by_name))
