"""The base of all forms of the pages."""

from collections.abc import Iterable

from django import forms
from django.utils.text import capfirst

from rollbook.validation import ValidationFailed

# No type="email": of an address beyond ASCII a browser then sends something else than was typed.
EMAIL = {"inputmode": "email", "autocapitalize": "none", "spellcheck": "false"}


class FormWithReasons(forms.Form):
    """A form that shows the reasons for which the domain refused it."""

    def add_reasons(self, field: str | None, reasons: Iterable[str]) -> None:
        """Show the reasons at this field; above all fields if it is None."""
        for reason in reasons:
            self.add_error(field, _sentence(reason))

    def collect_reasons(self, field: str | None = None) -> "_ReasonCollector":
        """Return a context manager that adds the reasons of a refusal to the form.

        A refusal ends the block, and the code after the block continues.
        """
        return _ReasonCollector(self, field)

    @property
    def page_status(self) -> int:
        """Return the HTTP status of the page with the form: 422 if the form was sent."""
        return 422 if self.is_bound else 200


class _ReasonCollector:
    """Catches ``Refused`` and puts its reasons into the form."""

    def __init__(self, form: FormWithReasons, field: str | None) -> None:
        self._form = form
        self._field = field

    def __enter__(self) -> None: ...

    def __exit__(self, _: object, error: BaseException | None, traceback: object) -> bool:
        if not isinstance(error, ValidationFailed):
            return False
        self._form.add_reasons(self._field, error.reasons)
        return True


def _sentence(reason: str) -> str:
    """With a capital and a full stop; an e-mail address at its beginning stays as it is."""
    begins_with_a_word = reason.partition(" ")[0].isalpha()
    return f"{capfirst(reason) if begins_with_a_word else reason}."
