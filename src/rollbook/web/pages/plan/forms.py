"""Read the form with which a plan is approved or discarded."""

import re
from dataclasses import dataclass
from typing import Self

from django.http import QueryDict

from rollbook.text import printable
from rollbook.updates.planning.decisions import MAX_NOTE_LENGTH

MAX_SCHOOLS = 1000
"""Schools that can be left out on the page; a form has at most 64 KB."""

MAX_NAME = 100  # characters; longer than any SCHOOL_ID
_SEPARATORS = re.compile(r"[,;\n]")


class InvalidDecision(ValueError):
    """The form can't be used; the text says why and what to do."""


@dataclass(frozen=True)
class DecisionForm:
    """What was submitted, or an empty form.

    Attributes:
        digest: The digest of the plan that was reviewed.
        note: Why, in the person's own words.
        chosen: SCHOOL_IDs of the schools whose boxes are checked.
        others: The text with further SCHOOL_IDs.
        is_partial: Whether the button was used that leaves out the selected schools.
    """

    digest: str = ""
    note: str = ""
    chosen: tuple[str, ...] = ()
    others: str = ""
    is_partial: bool = False

    @classmethod
    def of(cls, submitted: QueryDict) -> Self:
        """Return the submitted form."""
        return cls(
            digest=submitted.get("plan", ""),
            note=printable(" ".join(submitted.get("note", "").split()), MAX_NOTE_LENGTH),
            chosen=tuple(printable(each, MAX_NAME) for each in submitted.getlist("school")),
            others=submitted.get("others", ""),
            is_partial=submitted.get("which") == "selected",
        )

    @property
    def without(self) -> frozenset[str]:
        """The SCHOOL_IDs of all schools to leave out."""
        named = [printable(each, MAX_NAME).strip() for each in _SEPARATORS.split(self.others)]
        return frozenset(filter(None, (*self.chosen, *named)))

    def require_clear(self) -> None:
        """Check that the button and the selection agree.

        Raises:
            InvalidDecision: They don't, or too many schools are named.
        """
        if len(self.without) > MAX_SCHOOLS:
            raise InvalidDecision(
                f"You named more than {MAX_SCHOOLS:,} schools; discard the plan instead."
            )
        if self.is_partial and not self.without:
            raise InvalidDecision(
                "No school is selected; select the schools to leave out, or approve all."
            )
        if not self.is_partial and self.without:
            raise InvalidDecision(
                "Schools are selected; use the button that leaves them out, or clear the selection."
            )
