"""The base of all forms of the pages."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.text import capfirst

from rollbook.districts.concurrent_edits import version_of
from rollbook.validation import ValidationFailed

# No type="email": browsers rewrite addresses with characters beyond ASCII before they send them.
EMAIL = {"inputmode": "email", "autocapitalize": "none", "spellcheck": "false"}

VERSION = "version"


@dataclass(frozen=True)
class FormProblem:
    """One thing to fix in a form.

    Attributes:
        text: what it is.
        label: the field; empty if it isn't about one.
        target: the ID of the field's first input; empty if it isn't about one.
    """

    text: str
    label: str = ""
    target: str = ""


class FormWithReasons(forms.Form):
    """A form that shows why the domain code rejected it.

    Attributes:
        marks_optional: whether fields that may be left blank say so.
    """

    marks_optional = False

    @property
    def problems(self) -> list[FormProblem]:
        """Return everything to fix, in the order of the fields."""
        problems = [FormProblem(str(error)) for error in self.non_field_errors()]
        for field in self:
            first = f"{field.auto_id}_0" if field.use_fieldset else field.auto_id
            place = str(field.label), "" if field.is_hidden else first
            problems += [FormProblem(str(error), *place) for error in field.errors]
        return problems

    def add_reasons(self, field: str | None, reasons: Iterable[str]) -> None:
        """Show the reasons at this field, or above all fields if it is None."""
        for reason in reasons:
            self.add_error(field, _sentence(reason))

    def collect_reasons(self, field: str | None = None) -> "_ReasonCollector":
        """Return a context manager that adds the reasons of a ``ValidationFailed`` to the form.

        The exception ends the block; execution continues after it.
        """
        return _ReasonCollector(self, field)

    @property
    def page_status(self) -> int:
        """Return the HTTP status of the page with the form: 422 if the form was submitted."""
        return 422 if self.is_bound else 200


class EditForm(FormWithReasons):
    """A form that is filled with stored values, and knows which ones they were.

    A page from before an upgrade has no version; what is stored is then replaced.
    """

    version = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {**self.initial, VERSION: version_of(self.initial)}

    @property
    def base_version(self) -> str:
        """Return the version of the values that were edited.

        It's empty if nothing would change, such as if the form is submitted twice.
        """
        changed = [name for name in self.changed_data if name != VERSION]
        return str(self.cleaned_data[VERSION]) if changed else ""

    @property
    def is_outdated(self) -> bool:
        """Return whether other values than those that were edited are stored now."""
        return self.base_version not in ("", self.initial[VERSION])

    @property
    def values(self) -> dict[str, Any]:
        """Return the values of a valid form, without the version."""
        values = dict(self.cleaned_data)
        del values[VERSION]
        return values


class _ReasonCollector:
    """Catches ``ValidationFailed`` and adds its reasons to the form."""

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
    """Return the reason with a capital and a period; an email at its start stays as it is."""
    starts_with_word = reason.partition(" ")[0].isalpha()
    text = capfirst(reason) if starts_with_word else reason
    return f"{text}."
