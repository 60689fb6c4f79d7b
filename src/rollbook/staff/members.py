"""The members of a district: how one is added or invited, who they are, and who of them gets the results."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.db import IntegrityError, transaction
from django.db.models import Max

from rollbook.roster.models import District, School
from rollbook.staff import letters
from rollbook.staff.models import LetterKind, Member
from rollbook.staff.password_rules import as_typed, facts_about, problems_with
from rollbook.staff.permissions import Role, is_district_wide
from rollbook.staff.signing_in import LONGEST_LOGIN, fold_login

LONGEST_NAME = 100


class MemberRefused(Exception):
    """This cannot be a member; ``reasons`` say why, one sentence each."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


class NotAMember(Exception):
    """Results go to active members of the district only, and ``email`` is none of theirs."""

    def __init__(self, email: str) -> None:
        super().__init__(f"{email} is not an active member of this district")
        self.email = email


class MemberState(StrEnum):
    """How far a member has come."""

    ACTIVE = "active"
    INVITED = "invited"
    NOT_ACTIVE = "not active"


@dataclass(frozen=True)
class Listed:
    """A member in the list of a district's staff."""

    member: Member
    schools: tuple[School, ...]
    state: MemberState
    last_sign_in: datetime | None


def add_member(
    district: District,
    email: str,
    first_name: str,
    last_name: str,
    role: str,
    password: str,
    schools: Iterable[str] = (),
) -> Member:
    """Add an active member. ``schools`` are organization IDs. Raises MemberRefused with every reason."""
    wanted = _Wanted(district, fold_login(email), first_name.strip(), last_name.strip(), role, tuple(schools))
    facts = facts_about(wanted.login, wanted.first_name, wanted.last_name, district.name)
    refused = [f"the password is refused: {reason}" for reason in problems_with(password, facts)]
    return _enter(wanted, refused, as_typed(password))


def invite(
    district: District,
    email: str,
    first_name: str,
    last_name: str,
    role: str,
    schools: Iterable[str],
    inviter: Member | None,
    now: datetime,
) -> Member:
    """Add a member who gets a letter with a link, by which to set a password; without an inviter the host invites.

    ``schools`` are organization IDs. Raises MemberRefused with every reason.
    """
    wanted = _Wanted(district, fold_login(email), first_name.strip(), last_name.strip(), role, tuple(schools))
    with transaction.atomic():
        member = _enter(wanted, [], None)
        letters.write(member, LetterKind.INVITATION, now, inviter)
    return member


def invite_again(member: Member, inviter: Member | None, now: datetime) -> None:
    """Send the invitation once more. Raises MemberRefused if that is of no use."""
    with transaction.atomic():
        # Two that invite at the same time take turns.
        current = Member.objects.select_for_update().get(pk=member.pk)
        against = _AGAINST_INVITING.get(state_of(current))
        if not against and letters.wrote_lately(current, LetterKind.INVITATION, now):
            against = "was invited a moment ago; see whether that mail arrives"
        if against:
            raise MemberRefused([f"{current.email} {against}"])
        letters.write(current, LetterKind.INVITATION, now, inviter)


_AGAINST_INVITING = {
    MemberState.NOT_ACTIVE: "is not active",
    MemberState.ACTIVE: "has a password; who has forgotten it can have a new one sent from the sign-in page",
}


def listed(district: District) -> list[Listed]:
    """Every member of the district, in the order of their names."""
    members = (
        Member.objects.filter(district=district)
        .select_related("district")
        .prefetch_related("schools")
        .annotate(last_seen=Max("knownaddress__last_at"))
    )
    return [
        Listed(member, _in_order(member.schools.all()), state_of(member), _latest(member.last_login, member.last_seen))
        for member in sorted(members, key=_by_name)
    ]


def found(district: District, key: int) -> Member | None:
    """The member of this key, if it is one of this district."""
    return Member.objects.select_related("district").filter(district=district, pk=key).first()


def state_of(member: Member) -> MemberState:
    """Whether the member may sign in, and can."""
    if not member.is_active:
        return MemberState.NOT_ACTIVE
    return MemberState.ACTIVE if member.has_usable_password() else MemberState.INVITED


def receivers(district: District) -> list[Member]:
    """Who gets the results of every update of the district."""
    return list(Member.objects.filter(district=district, is_active=True, gets_results=True).order_by("email"))


def set_receivers(district: District, emails: Iterable[str]) -> list[Member]:
    """From now on these members get the results, and no others. Raises NotAMember, and then nothing has changed."""
    with transaction.atomic():
        members = [_active_member(district, email) for email in emails]
        Member.objects.filter(district=district).update(gets_results=False)
        Member.objects.filter(pk__in=[member.pk for member in members]).update(gets_results=True)
    return receivers(district)


@dataclass(frozen=True)
class _Wanted:
    """A member as somebody would have one."""

    district: District
    login: str
    first_name: str
    last_name: str
    role: str
    schools: tuple[str, ...]

    def problems(self) -> list[str]:
        return [
            *_email_problems(self.login),
            *_name_problems("first name", self.first_name),
            *_name_problems("last name", self.last_name),
            *(_role_problems(self.role) or self._school_problems()),
        ]

    def _school_problems(self) -> list[str]:
        if is_district_wide(self.role):
            return [f"the role {self.role} is for the whole district; name no school"] if self.schools else []
        if not self.schools:
            return [f"the role {self.role} needs a school; name one at least"]
        known = {school.organization_id for school in self.found_schools()}
        return [f"there is no school '{name}' in this district" for name in self.schools if name not in known]

    def found_schools(self) -> list[School]:
        return list(School.objects.filter(district=self.district, organization_id__in=self.schools))


def _enter(wanted: _Wanted, refused: list[str], password: str | None) -> Member:
    """Into the table; raises MemberRefused with the reasons there are, and those that the caller has."""
    reasons = [*wanted.problems(), *refused]
    if reasons:
        raise MemberRefused(reasons)
    member = Member(
        district=wanted.district,
        email=wanted.login,
        first_name=wanted.first_name,
        last_name=wanted.last_name,
        role=Role(wanted.role).value,
        password=make_password(password),
    )
    try:
        with transaction.atomic():
            member.save(force_insert=True)
            member.schools.set(wanted.found_schools())
    except IntegrityError:
        # It may be a member of another district, which is nobody's business here: the text is the same.
        raise MemberRefused([f"{wanted.login} cannot be added: it is in use as a login"]) from None
    return member


def _in_order(schools: Iterable[School]) -> tuple[School, ...]:
    return tuple(sorted(schools, key=lambda school: (school.name.casefold(), school.organization_id)))


def _by_name(member: Member) -> tuple[str, str, str]:
    return member.last_name.casefold(), member.first_name.casefold(), member.email


def _latest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment), default=None)


def _active_member(district: District, email: str) -> Member:
    member = Member.objects.filter(district=district, is_active=True, email=fold_login(email)).first()
    if member is None:
        raise NotAMember(email)
    return member


def _email_problems(login: str) -> list[str]:
    try:
        EmailValidator()(login)
    except ValidationError:
        return [f"the e-mail address is not one, or is longer than {LONGEST_LOGIN} characters"]
    return []


def _name_problems(what: str, name: str) -> list[str]:
    """A name goes into mail headers and log lines: no line breaks."""
    if 0 < len(name) <= LONGEST_NAME and name.isprintable():
        return []
    return [f"the {what} is missing, longer than {LONGEST_NAME} characters, or not on one line"]


def _role_problems(role: str) -> list[str]:
    roles = [known.value for known in Role]
    return [] if role in roles else [f"there is no role '{role}'; the roles are {', '.join(roles)}"]
