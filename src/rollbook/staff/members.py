"""The members of a district: how one is added, and who of them gets the results of every update."""

from collections.abc import Iterable

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.db import transaction

from rollbook.roster.models import District
from rollbook.staff.models import Member
from rollbook.staff.password_rules import as_typed, problems_with
from rollbook.staff.permissions import Role
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


def add_member(district: District, email: str, first_name: str, last_name: str, role: str, password: str) -> Member:
    """Add an active member. Raises MemberRefused with every reason."""
    login = fold_login(email)
    facts = (login, login.partition("@")[0], district.name)
    reasons = [
        *_email_problems(login),
        *_name_problems("first name", first_name),
        *_name_problems("last name", last_name),
        *_role_problems(role),
        *(f"the password is refused: {reason}" for reason in problems_with(password, facts)),
    ]
    if reasons:
        raise MemberRefused(reasons)
    hashed = make_password(as_typed(password))
    with transaction.atomic():
        # It may be a member of another district, which is nobody's business here: the text is the same.
        if Member.objects.filter(email=login).exists():
            raise MemberRefused([f"{login} cannot be added: it is in use as a login"])
        return Member.objects.create(
            district=district,
            email=login,
            first_name=first_name.strip(),
            last_name=last_name.strip(),
            role=Role(role).value,
            password=hashed,
        )


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
    if 0 < len(name.strip()) <= LONGEST_NAME and name.strip().isprintable():
        return []
    return [f"the {what} is missing, longer than {LONGEST_NAME} characters, or not on one line"]


def _role_problems(role: str) -> list[str]:
    roles = [known.value for known in Role]
    return [] if role in roles else [f"there is no role '{role}'; the roles are {', '.join(roles)}"]
