"""Forms that sign in and set a new password."""

from django import forms
from django.http import HttpRequest, QueryDict

from rollbook.accounts.auth.password_policy import MIN_CHARACTERS
from rollbook.web.pages.base.forms import EMAIL, FormWithReasons

LOGIN = {**EMAIL, "autocomplete": "username", "autofocus": True}
OLD_PASSWORD = {"autocomplete": "current-password"}
NEW_PASSWORD = {"autocomplete": "new-password"}
# No inputmode="numeric": a recovery code has letters and digits.
CODE = {
    "autocomplete": "one-time-code",
    "autocapitalize": "none",
    "spellcheck": "false",
    "autocorrect": "off",
}

PASSWORD_RULES = (
    f"At least {MIN_CHARACTERS} characters. A few words in a row are easy to remember. "
    "Don’t use a common password, your name or your district’s name."
)


def post_data(request: HttpRequest) -> QueryDict | None:
    """Return the data of a form that was sent; None if the page is only viewed."""
    return request.POST if request.method == "POST" else None


class SignIn(FormWithReasons):
    """An email and a password."""

    login = forms.CharField(label="Email", widget=forms.TextInput(LOGIN))
    password = forms.CharField(strip=False, widget=forms.PasswordInput(OLD_PASSWORD))


class Forgotten(FormWithReasons):
    """The email of a member who has forgotten their password."""

    login = forms.CharField(label="Email", widget=forms.TextInput(LOGIN))


class NewPassword(FormWithReasons):
    """A new password, entered twice because it isn't visible."""

    new = forms.CharField(
        label="New password",
        strip=False,
        help_text=PASSWORD_RULES,
        widget=forms.PasswordInput({**NEW_PASSWORD, "data-min-length": MIN_CHARACTERS}),
    )
    again = forms.CharField(
        label="Confirm new password", strip=False, widget=forms.PasswordInput(NEW_PASSWORD)
    )

    def clean_again(self) -> str:
        """Check that both passwords are the same.

        Raises:
            ValidationError: If they differ.
        """
        again: str = self.cleaned_data["again"]
        if again != self.cleaned_data.get("new", again):
            raise forms.ValidationError("The passwords don’t match. Enter both again.")
        return again


class Code(FormWithReasons):
    """A code of two-step verification."""

    code = forms.CharField(
        label="Code",
        help_text="The six-digit code from your authenticator app, or a recovery code.",
        widget=forms.TextInput({**CODE, "autofocus": True}),
    )
