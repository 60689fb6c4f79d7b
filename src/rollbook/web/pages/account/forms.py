"""The forms of one's own account: password, two-step verification, and tokens for scripts."""

from datetime import timedelta

from django import forms
from django.utils.text import capfirst

from rollbook.accounts.auth.api_tokens import DEFAULT_LIFETIME, Scope
from rollbook.web.pages.base.forms import FormWithReasons
from rollbook.web.pages.sign_in.forms import CODE, OLD_PASSWORD, NewPassword

GOOD_FOR_DAYS = {30: "30 days", 90: "90 days", 365: "1 year", 730: "2 years"}

_MEANINGS = {
    Scope.START: "start: send student files",
    Scope.STATUS: "status: ask how far an update is",
    Scope.CANCEL: "cancel: stop an update",
}


class Password(FormWithReasons):
    """Asked for once more before anything is changed by which a member is known."""

    password = forms.CharField(
        label="Your password", strip=False, widget=forms.PasswordInput(OLD_PASSWORD)
    )


class ChangedPassword(NewPassword):
    """Another password, by who knows the one there is."""

    old = forms.CharField(
        label="Your password now", strip=False, widget=forms.PasswordInput(OLD_PASSWORD)
    )

    field_order = ("old", "new", "again")


class NewSecondFactor(Password):
    """The first code of a new app, and the password."""

    code = forms.CharField(
        label="Code",
        help_text="The six digits that your app shows now.",
        widget=forms.TextInput(CODE),
    )

    field_order = ("code", "password")


class Proof(Password):
    """Password and code, of who has a second factor."""

    code = forms.CharField(
        label="Code",
        help_text="The six digits that your app shows now, or one of your recovery codes.",
        widget=forms.TextInput(CODE),
    )


class NewToken(Password):
    """What a token is called, and for what and how long it is good."""

    name = forms.CharField(
        label="Name", help_text="By which you know it again, such as the machine that it is for."
    )
    scopes = forms.MultipleChoiceField(
        label="What it is for",
        required=False,
        choices=[(scope.value, capfirst(_MEANINGS[scope])) for scope in Scope],
        initial=[scope.value for scope in Scope],
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.TypedChoiceField(
        label="Good for",
        coerce=int,
        choices=list(GOOD_FOR_DAYS.items()),
        initial=DEFAULT_LIFETIME.days,
    )

    field_order = ("name", "scopes", "days", "password")

    @property
    def good_for(self) -> timedelta:
        """Of a valid form."""
        return timedelta(days=self.cleaned_data["days"])

    @property
    def chosen(self) -> frozenset[Scope]:
        """Of a valid form."""
        return frozenset(map(Scope, self.cleaned_data["scopes"]))
