"""The form of the wizard that makes the download of a nightly script."""

from django import forms

from rollbook.web.pages.account.forms import TokenForm


class Setup(TokenForm):
    """The name of the script's token, and how the script ends; confirmed with the password."""

    reasons_at = "name"

    name = forms.CharField(
        label="Name of the computer",
        help_text="To recognize the token that we create for it.",
        initial="Nightly script",
    )
    fails_on_rejected = forms.BooleanField(
        label="Exit with an error if rows were rejected",
        help_text="Turn this on if another program watches the script. "
        "The results are emailed either way.",
        required=False,
    )

    field_order = ("name", "fails_on_rejected", "password")
