"""Forms of staff members: their names, emails, roles and schools."""

from collections.abc import Iterable
from typing import Any

from django import forms

from rollbook.accounts.models import Role
from rollbook.districts.models import School
from rollbook.web.pages.account.forms import Password
from rollbook.web.pages.base.forms import EMAIL, EditForm
from rollbook.web.pages.roles.forms import role_summary
from rollbook.web.pages.schools.forms import school_choices
from rollbook.web.pages.sign_in.forms import OLD_PASSWORD


class Membership(EditForm):
    """The profile of a staff member, with the roles and schools that the user can assign."""

    marks_optional = True

    first_name = forms.CharField(label="First name")
    last_name = forms.CharField(label="Last name")
    email = forms.CharField(label="Email", widget=forms.TextInput(EMAIL))

    def __init__(
        self, roles: Iterable[Role], schools: Iterable[School], *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"] = forms.ChoiceField(
            choices=[(role.name, role_summary(role)) for role in roles], widget=forms.RadioSelect
        )
        self.fields["schools"] = forms.MultipleChoiceField(
            required=False,
            help_text="The schools where they work. Leave this blank for district-wide roles.",
            choices=school_choices(schools),
            widget=forms.CheckboxSelectMultiple,
        )


class Invitation(Membership):
    """The profile of a staff member to invite."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        email = self.fields["email"]
        email.help_text = "We send the invitation to this address. It’s also their login."


class ChangedMembership(Membership, Password):
    """The profile of a staff member to change; a new email requires the user's own password."""

    password = forms.CharField(
        label="Your password",
        required=False,
        strip=False,
        help_text="Required if you change the email, or signed in more than half an hour ago.",
        widget=forms.PasswordInput(OLD_PASSWORD),
    )
