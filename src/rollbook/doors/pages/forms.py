"""What members say of themselves and of each other: the fields of sign-in, passwords and invitations."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.text import capfirst

from rollbook.roster.models import School
from rollbook.staff.models import Role
from rollbook.staff.password_rules import FEWEST_CHARACTERS
from rollbook.staff.permissions import MEANINGS, POSSIBLE, RoleType

# No type="email": of an address beyond ASCII a browser then sends something else than what was typed.
EMAIL = {"inputmode": "email", "autocapitalize": "none", "spellcheck": "false"}
LOGIN = {**EMAIL, "autocomplete": "username", "autofocus": True}
OLD_PASSWORD = {"autocomplete": "current-password"}
NEW_PASSWORD = {"autocomplete": "new-password"}

PASSWORD_RULES = (
    f"At least {FEWEST_CHARACTERS} characters: a few words in a row are easy to remember. "
    "Not one of the passwords that are tried first, and without your name or your district's."
)


class Refusable(forms.Form):
    """A form that is refused with the reasons that the staff's rules give."""

    def refuse(self, field: str | None, reasons: Iterable[str]) -> None:
        """Show why at this field; above all fields if it is None."""
        for reason in reasons:
            self.add_error(field, _sentence(reason))


class SignIn(Refusable):
    login = forms.CharField(label="E-mail", widget=forms.TextInput(LOGIN))
    password = forms.CharField(strip=False, widget=forms.PasswordInput(OLD_PASSWORD))


class Forgotten(Refusable):
    login = forms.CharField(label="E-mail", widget=forms.TextInput(LOGIN))


class NewPassword(Refusable):
    """A password, twice: nobody sees what is typed."""

    new = forms.CharField(
        label="New password", strip=False, help_text=PASSWORD_RULES, widget=forms.PasswordInput(NEW_PASSWORD)
    )
    again = forms.CharField(label="New password once more", strip=False, widget=forms.PasswordInput(NEW_PASSWORD))

    def clean_again(self) -> str:
        again: str = self.cleaned_data["again"]
        if again != self.cleaned_data.get("new", again):
            raise forms.ValidationError("This is not the same. Type both again.")
        return again


class ChangedPassword(NewPassword):
    """Another password, by who knows the one there is."""

    old = forms.CharField(label="Your password now", strip=False, widget=forms.PasswordInput(OLD_PASSWORD))

    field_order = ("old", "new", "again")


class Membership(Refusable):
    """Who a member is: the roles and schools that whoever asks may give."""

    first_name = forms.CharField(label="First name")
    last_name = forms.CharField(label="Last name")
    email = forms.CharField(label="E-mail", widget=forms.TextInput(EMAIL))

    def __init__(self, roles: Iterable[Role], schools: Iterable[School], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"] = forms.ChoiceField(
            choices=[(role.name, described(role)) for role in roles], widget=forms.RadioSelect
        )
        self.fields["schools"] = forms.MultipleChoiceField(
            required=False,
            help_text="Where the member works. Whoever acts for the whole district has none.",
            choices=school_choices(schools),
            widget=forms.CheckboxSelectMultiple,
        )


class Invitation(Membership):
    """Who is invited, and as what."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].help_text = "The invitation goes there, and it is the login from then on."


class SchoolName(Refusable):
    name = forms.CharField(label="Name")


class NewSchool(SchoolName):
    organization_id = forms.CharField(
        label="Organization ID", help_text="The SCHOOL_ID that student files name it by; it stays the same."
    )

    field_order = ("organization_id", "name")


class RoleForm(Refusable):
    """What a role is called, and may do."""

    name = forms.CharField(label="Name")
    description = forms.CharField(label="Description", required=False)

    def __init__(self, type_: RoleType, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["permissions"] = forms.MultipleChoiceField(
            label=f"What a {type_} with this role may do",
            required=False,
            choices=[(each.value, capfirst(MEANINGS[type_][each])) for each in POSSIBLE[type_]],
            widget=forms.CheckboxSelectMultiple,
        )


def school_choices(schools: Iterable[School]) -> list[tuple[str, str]]:
    """Schools by their organization IDs, as a field offers them."""
    return [(school.organization_id, school.title) for school in schools]


def described(role: Role) -> str:
    """``Instructor: sees the students linked to them``."""
    meanings = MEANINGS[RoleType(role.type)]
    may = ", ".join(meanings[each] for each in POSSIBLE[RoleType(role.type)] if each in role.granted)
    return f"{capfirst(role.name)}: {may or 'nothing but to sign in'}"


def _sentence(reason: str) -> str:
    """With a capital and a full stop; an e-mail address at its beginning stays as it is."""
    begins_with_a_word = reason.partition(" ")[0].isalpha()
    return f"{capfirst(reason) if begins_with_a_word else reason}."
