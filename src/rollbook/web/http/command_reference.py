"""The upload commands and their form fields: one reference for code, pages and docs."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from django.conf import settings

START, STATUS, CANCEL = "start", "status", "cancel"
APPROVE, DISCARD = "approve", "discard"


@dataclass(frozen=True)
class Command:
    """A command, with its address and an example.

    Attributes:
        name: The last part of its address.
        takes_file: Whether it receives a student file.
        is_decision: Whether it decides about a plan.
    """

    name: str
    takes_file: bool = False
    is_decision: bool = False

    @property
    def scope(self) -> str:
        """Return the scope that a token needs: one for all decisions, else the command itself."""
        return APPROVE if self.is_decision else self.name

    @property
    def address(self) -> str:
        """Return the full URL."""
        return f"{settings.URL}/slc/studentupdate/{self.name}"

    @property
    def example(self) -> str:
        """Return a curl command without secrets in its arguments."""
        fields = "-F file=@students.csv " if self.takes_file else ""
        if self.is_decision:
            fields = "-F update=17 -F plan=3f9a1c20b7de "
        sign_in = "-F login=you@school.example -F 'password=<password.txt'"
        return f"curl {fields}{sign_in} {self.address}"


COMMANDS = (
    Command(START, takes_file=True),
    Command(STATUS),
    Command(CANCEL),
    Command(APPROVE, is_decision=True),
    Command(DISCARD, is_decision=True),
)


@dataclass(frozen=True)
class Field:
    """A form field, the commands that accept it, and its description."""

    commands: frozenset[str]
    description: str


_ALL = frozenset({START, STATUS, CANCEL, APPROVE, DISCARD})
_DECISIONS = frozenset({APPROVE, DISCARD})
_ONLY_START = frozenset({START})
_ONLY_STATUS = frozenset({STATUS})
_ALL_BUT_START = _ALL - _ONLY_START
FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "file": Field(
            _ONLY_START,
            "the student file, as `file=@students.csv` or "
            "`file=@students.xlsx`; one in each request",
        ),
        "login": Field(_ALL, "the email address you sign in with"),
        "password": Field(_ALL, "your password"),
        "mode": Field(
            _ONLY_START,
            "`update` (the default) changes existing students only, `add` also adds new ones, and "
            "`sync` also deactivates students whom the files no longer name; it is off until your "
            "district turns it on",
        ),
        "encoding": Field(
            _ONLY_START,
            "the encoding of the file, as in `encoding=cp1252`; the default is your district's "
            "setting, or else UTF-8",
        ),
        "update": Field(_ALL_BUT_START, "the number of an update, as in `update=17`"),
        "check": Field(
            _ONLY_START,
            "`yes` for a dry run: the file is checked against your students, and nothing is "
            "applied until a person applies it",
        ),
        "note": Field(
            _ONLY_START | _DECISIONS,
            "a text of at most 200 characters that is shown with the update; of a decision: why",
        ),
        "notify": Field(
            _ONLY_START,
            "email addresses of staff of your district who also get the emails about this update, "
            "as in `notify=a@school.example,b@school.example`",
        ),
        "plan": Field(
            _DECISIONS,
            "the plan that you reviewed, as in `plan=3f9a1c20b7de`; status names it",
        ),
        "without": Field(
            frozenset({APPROVE}),
            "the SCHOOL_IDs of schools whose rows are left out, as in `without=100,200`",
        ),
        "header_map": Field(
            _ONLY_START,
            "the name of the column mapping through which the file is read, as in "
            "`header_map=powerschool`; `none` for no mapping; the default is the mapping of your "
            "district whose columns the file has",
        ),
        "wait": Field(
            _ONLY_STATUS,
            "seconds to wait for the end of an update before the answer, at most 60, as in "
            "`wait=30`; the update may still be running then",
        ),
    }
)
