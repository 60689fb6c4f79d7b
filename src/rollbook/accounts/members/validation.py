"""A member as somebody would have one: name, login, role and schools, and all that stands against it."""

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
from rollbook.validation import ValidationFailed, name_problems

LONGEST_NAME = 100


class InvalidMember(ValidationFailed):
    """This cannot be a member, or be done with one."""


@dataclass(frozen=True)
class MemberDraft:
    """``role`` is a name and ``schools`` are organization IDs; ``by`` None: it is wanted by the host, who may all."""

    district: District
    email: str
    first_name: str
    last_name: str
    role: str
    schools: tuple[str, ...]
    by: Member | None = None

    @cached_property
    def login(self) -> str:
        """The e-mail address as logins are kept."""
        return fold_login(self.email)

    @cached_property
    def found_role(self) -> Role | None:
        """The district's role of that name."""
        return roles.named(self.district, self.role)

    @cached_property
    def found_schools(self) -> list[School]:
        """Those of the schools that there are, for whoever wants this."""
        known = School.objects.filter(district=self.district, organization_id__in=self.schools)
        if self.by and not self.by.role.is_district_wide:
            known = known.filter(pk__in=self.by.schools.all())
        return list(known)

    def problems(self) -> list[str]:
        """Every reason why there can be no such member, as far as it can be told before trying."""
        return [
            *_email_problems(self.login),
            *name_problems("first name", self.first_name.strip(), LONGEST_NAME),
            *name_problems("last name", self.last_name.strip(), LONGEST_NAME),
            *(self._role_problems() or self._school_problems()),
        ]

    def copy_to(self, member: Member) -> None:
        """Make it what the member is, once there is no problem; who calls saves it, and the schools."""
        member.email, member.role = self.login, cast("Role", self.found_role)
        member.first_name, member.last_name = self.first_name.strip(), self.last_name.strip()

    def _role_problems(self) -> list[str]:
        if self.found_role and (self.by is None or roles.may_assign(self.by, self.found_role)):
            return []
        names = ", ".join(
            role.name
            for role in (roles.assignable(self.by) if self.by else roles.of(self.district))
        )
        if self.found_role:
            return [
                f"you cannot give the role {self.found_role}; yours to give are {names or 'none'}"
            ]
        return [f"there is no role '{self.role}'; the roles are {names}"]

    def _school_problems(self) -> list[str]:
        role = self.found_role
        if role and role.is_district_wide:
            return (
                [f"the role {role} is for the whole district; name no school"]
                if self.schools
                else []
            )
        if not self.schools:
            return [f"the role {role} needs a school; name one at least"]
        known = {school.organization_id for school in self.found_schools}
        among = (
            "among your schools"
            if self.by and not self.by.role.is_district_wide
            else "in this district"
        )
        return [
            f"there is no school '{name}' {among}" for name in self.schools if name not in known
        ]


def email_already_used(login: str) -> InvalidMember:
    """It may be a member of another district, which is nobody's business here: the text is the same."""
    return InvalidMember([f"{login} cannot be added: it is in use as a login"])


def in_order(schools: Iterable[School]) -> tuple[School, ...]:
    """Schools as people look for them."""
    return tuple(sorted(schools, key=by_name))


def _email_problems(login: str) -> list[str]:
    try:
        EmailValidator()(login)
    except ValidationError:
        return [f"the e-mail address is not one, or is longer than {MAX_LOGIN_LENGTH} characters"]
    return []
