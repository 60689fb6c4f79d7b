"""Forms of the member's own account: password, two-step verification, and tokens for scripts."""

from datetime import timedelta

from django import forms

from rollbook.accounts.auth.api_tokens import DEFAULT_LIFETIME, Scope
from rollbook.accounts.auth.token_limits import MAX_PERCENT, NO_LIMITS, TokenLimits
from rollbook.accounts.email_choice import EmailChoice
from rollbook.studentfile.columns import COLUMNS
from rollbook.web.pages.base.forms import FormWithReasons
from rollbook.web.pages.sign_in.forms import CODE, OLD_PASSWORD, NewPassword

LIFETIMES = {30: "30 days", 90: "90 days", 365: "1 year", 730: "2 years"}
"""The lifetimes of a token that can be chosen: days, and their label."""

EMAIL_CHOICES = {
    EmailChoice.ALWAYS.value: "Every update",
    EmailChoice.NEEDED.value: "Only when something needs me",
    EmailChoice.WEEKLY.value: "A weekly summary, on Monday mornings",
}
"""The choices of emails about updates, and their labels."""

SCOPE_CHOICES = [
    (Scope.START.value, "Start: upload student files"),
    (Scope.STATUS.value, "Status: check the progress of an update"),
    (Scope.CANCEL.value, "Cancel: cancel an update"),
    (Scope.APPROVE.value, "Approve: approve or discard what another token or person has sent"),
]


MODE_CHOICES = [
    ("update", "Update: change existing students"),
    ("add", "Add: also add new students"),
    ("sync", "Sync: also deactivate students who are no longer in the file"),
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


class UpdateEmails(FormWithReasons):
    """Which emails about updates the member gets."""

    choice = forms.ChoiceField(
        label="Emails about updates",
        help_text="About all updates if your district chose you as a recipient, otherwise about "
        "those that you send.",
        choices=list(EMAIL_CHOICES.items()),
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose which emails you get.",
            "invalid_choice": "This isn’t one of the choices. Choose again.",
        },
    )

    @property
    def chosen(self) -> EmailChoice:
        """Return the choice of a valid form."""
        return EmailChoice(self.cleaned_data["choice"])


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


class TokenForm(Password):
    """A form that creates a token, by default one for nightly scripts.

    Attributes:
        reasons_at: The field that shows why the token can't be created; None: above all fields.
    """

    reasons_at: str | None = None

    name = forms.CharField(
        label="Name", help_text="To recognize it later, such as the name of the computer."
    )

    @property
    def chosen_scopes(self) -> frozenset[Scope]:
        """Return the scopes of the token."""
        return frozenset({Scope.START, Scope.STATUS})

    @property
    def lifetime(self) -> timedelta:
        """Return how long the token is valid."""
        return DEFAULT_LIFETIME

    @property
    def limits(self) -> TokenLimits:
        """Return what the token may be used for."""
        return NO_LIMITS


class NewToken(TokenForm):
    """The name, scopes and lifetime of a new token."""

    marks_optional = True

    scopes = forms.MultipleChoiceField(
        label="Commands",
        required=False,
        choices=SCOPE_CHOICES,
        initial=[scope for scope in Scope if scope is not Scope.APPROVE],
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.TypedChoiceField(
        label="Valid for",
        coerce=int,
        choices=list(LIFETIMES.items()),
        initial=DEFAULT_LIFETIME.days,
    )

    networks = forms.CharField(
        label="Works only from",
        help_text="Addresses or networks, separated by commas, such as 203.0.113.7, "
        "198.51.100.0/24. Leave this blank to use the token from anywhere.",
        required=False,
        widget=forms.TextInput({"autocapitalize": "none", "spellcheck": "false"}),
    )
    modes = forms.MultipleChoiceField(
        label="Starts only",
        help_text="Leave both unchecked for no limit.",
        required=False,
        choices=MODE_CHOICES,
        widget=forms.CheckboxSelectMultiple,
    )
    columns = forms.MultipleChoiceField(
        label="Never changes",
        help_text="A row that would change one of these columns of a student is rejected.",
        required=False,
        choices=[(column.name, column.name) for column in COLUMNS],
        widget=forms.CheckboxSelectMultiple,
    )
    percent = forms.IntegerField(
        label="Largest share of students, in percent",
        help_text="A file that would change or add more students isn’t accepted. "
        "Leave this blank for no limit.",
        required=False,
        min_value=1,
        max_value=MAX_PERCENT,
    )

    field_order = (
        "name",
        "scopes",
        "days",
        "networks",
        "modes",
        "columns",
        "percent",
        "password",
    )

    @property
    def limits(self) -> TokenLimits:
        """Return the chosen limits of a valid form."""
        networks = self.cleaned_data["networks"].replace(",", " ").split()
        return TokenLimits(
            tuple(networks),
            tuple(self.cleaned_data["modes"]),
            tuple(self.cleaned_data["columns"]),
            self.cleaned_data["percent"],
        )

    @property
    def lifetime(self) -> timedelta:
        """Return the chosen lifetime of a valid form."""
        return timedelta(days=self.cleaned_data["days"])

    @property
    def chosen_scopes(self) -> frozenset[Scope]:
        """Return the chosen scopes of a valid form."""
        return frozenset(map(Scope, self.cleaned_data["scopes"]))
