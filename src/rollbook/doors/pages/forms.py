"""The base of all forms of the pages."""

from collections.abc import Iterable

from django import forms
from django.utils.text import capfirst

# No type="email": of an address beyond ASCII a browser then sends something else than was typed.
EMAIL = {"inputmode": "email", "autocapitalize": "none", "spellcheck": "false"}


class Refusable(forms.Form):
    """A form that is refused with the reasons that the staff's rules give."""

    def refuse(self, field: str | None, reasons: Iterable[str]) -> None:
        """Show why at this field; above all fields if it is None."""
        for reason in reasons:
            self.add_error(field, _sentence(reason))


def _sentence(reason: str) -> str:
    """With a capital and a full stop; an e-mail address at its beginning stays as it is."""
    begins_with_a_word = reason.partition(" ")[0].isalpha()
    return f"{capfirst(reason) if begins_with_a_word else reason}."
