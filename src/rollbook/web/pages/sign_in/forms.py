"""The forms of signing in, and of a new or forgotten password."""

from django import forms

from rollbook.accounts.auth.password_policy import FEWEST_CHARACTERS
from rollbook.web.pages.base.forms import EMAIL, FormWithReasons

LOGIN = {**EMAIL, "autocomplete": "username", "autofocus": True}
OLD_PASSWORD = {"autocomplete": "current-password"}
NEW_PASSWORD = {"autocomplete": "new-password"}
# No inputmode="numeric": a recovery code has letters.
CODE = {
    "autocomplete": "one-time-code",
    "autocapitalize": "none",
    "spellcheck": "false",
    "autocorrect": "off",
}

PASSWORD_RULES = (
    f"At least {FEWEST_CHARACTERS} characters: a few words in a row are easy to remember. "
    "Not one of the passwords that are tried first, and without your name or your district's."
)


class SignIn(FormWithReasons):
    """Login and password."""

    login = forms.CharField(label="E-mail", widget=forms.TextInput(LOGIN))
    password = forms.CharField(strip=False, widget=forms.PasswordInput(OLD_PASSWORD))


class Forgotten(FormWithReasons):
    """The login of a forgotten password."""

    login = forms.CharField(label="E-mail", widget=forms.TextInput(LOGIN))


class NewPassword(FormWithReasons):
    """A password, twice: nobody sees what is typed."""

    new = forms.CharField(
        label="New password",
        strip=False,
        help_text=PASSWORD_RULES,
        widget=forms.PasswordInput(NEW_PASSWORD),
    )
    again = forms.CharField(
        label="New password once more", strip=False, widget=forms.PasswordInput(NEW_PASSWORD)
    )

    def clean_again(self) -> str:
        again: str = self.cleaned_data["again"]
        if again != self.cleaned_data.get("new", again):
            raise forms.ValidationError("This is not the same. Type both again.")
        return again


class Code(FormWithReasons):
    """The second half of signing in."""

    code = forms.CharField(
        label="Code",
        help_text="The six digits that your app shows now, or one of your recovery codes.",
        widget=forms.TextInput({**CODE, "autofocus": True}),
    )
