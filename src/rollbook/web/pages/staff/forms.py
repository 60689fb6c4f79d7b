"""The forms of staff members: their names, roles and schools."""

from collections.abc import Iterable
from typing import Any

from django import forms

from rollbook.accounts.models import Role
from rollbook.districts.models import School
from rollbook.web.pages.account.forms import Password
from rollbook.web.pages.base.forms import EMAIL, FormWithReasons
from rollbook.web.pages.roles.forms import described
from rollbook.web.pages.schools.forms import school_choices
from rollbook.web.pages.sign_in.forms import OLD_PASSWORD


class Membership(FormWithReasons):
    """Who a member is: the roles and schools that whoever asks may give."""

    first_name = forms.CharField(label="First name")
    last_name = forms.CharField(label="Last name")
    email = forms.CharField(label="E-mail", widget=forms.TextInput(EMAIL))

    def __init__(
        self, roles: Iterable[Role], schools: Iterable[School], *args: Any, **kwargs: Any
    ) -> None:
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
        self.fields[
            "email"
        ].help_text = "The invitation goes there, and it is the login from then on."


class ChangedMembership(Membership, Password):
    """The profile of a member; a new login takes the password of the member who changes it."""

    password = forms.CharField(
        label="Your password",
        required=False,
        strip=False,
        help_text="Only for another e-mail address.",
        widget=forms.PasswordInput(OLD_PASSWORD),
    )
