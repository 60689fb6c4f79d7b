"""Forms of the member's own account: password, two-step verification, and tokens for scripts."""

from datetime import timedelta

from django import forms

from rollbook.accounts.auth.api_tokens import DEFAULT_LIFETIME, Scope
from rollbook.web.pages.base.forms import FormWithReasons
from rollbook.web.pages.sign_in.forms import CODE, OLD_PASSWORD, NewPassword

LIFETIMES = {30: "30 days", 90: "90 days", 365: "1 year", 730: "2 years"}
"""The lifetimes of a token that can be chosen: days, and their label."""

SCOPE_CHOICES = [
    (Scope.START.value, "Start: upload student files"),
    (Scope.STATUS.value, "Status: check the progress of an update"),
    (Scope.CANCEL.value, "Cancel: cancel an update"),
]


class Password(FormWithReasons):
    """The member's current password, to confirm a change of their credentials."""

    password = forms.CharField(
        label="Your password", strip=False, widget=forms.PasswordInput(OLD_PASSWORD)
    )


class ChangedPassword(NewPassword):
    """A new password, confirmed with the current one."""

    old = forms.CharField(
        label="Current password", strip=False, widget=forms.PasswordInput(OLD_PASSWORD)
    )

    field_order = ("old", "new", "again")


class NewSecondFactor(Password):
    """The first code of a new authenticator app, and the password."""

    code = forms.CharField(
        label="Code",
        help_text="The six-digit code that your app shows now.",
        widget=forms.TextInput(CODE),
    )

    field_order = ("code", "password")


class Proof(Password):
    """The password and a code, from a member with two-step verification."""

    code = forms.CharField(
        label="Code",
        help_text="The six-digit code from your authenticator app, or a recovery code.",
        widget=forms.TextInput(CODE),
    )


class NewToken(Password):
    """The name, scopes and lifetime of a new token."""

    name = forms.CharField(
        label="Name", help_text="To recognize it later, such as the name of the computer."
    )
    scopes = forms.MultipleChoiceField(
        label="Commands",
        required=False,
        choices=SCOPE_CHOICES,
        initial=list(Scope),
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.TypedChoiceField(
        label="Valid for",
        coerce=int,
        choices=list(LIFETIMES.items()),
        initial=DEFAULT_LIFETIME.days,
    )

    field_order = ("name", "scopes", "days", "password")

    @property
    def lifetime(self) -> timedelta:
        """Return the chosen lifetime of a valid form."""
        return timedelta(days=self.cleaned_data["days"])

    @property
    def chosen_scopes(self) -> frozenset[Scope]:
        """Return the chosen scopes of a valid form."""
        return frozenset(map(Scope, self.cleaned_data["scopes"]))
