"""The three upload commands and their form fields: one reference for code, pages and docs."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from django.conf import settings

START, STATUS, CANCEL = "start", "status", "cancel"


@dataclass(frozen=True)
class Command:
    """One of the three commands, with its address and an example."""

    name: str
    takes_file: bool = False

    @property
    def address(self) -> str:
        """Return the full URL."""
        return f"{settings.URL}/slc/studentupdate/{self.name}"

    @property
    def example(self) -> str:
        """Return a curl command without secrets in its arguments."""
        file = "-F file=@students.csv " if self.takes_file else ""
        sign_in = "-F login=you@school.example -F 'password=<password.txt'"
        return f"curl {file}{sign_in} {self.address}"


COMMANDS = (Command(START, takes_file=True), Command(STATUS), Command(CANCEL))


@dataclass(frozen=True)
class Field:
    """A form field, the commands that accept it, and its description.

    A field without a description is reserved: requests with it are refused until it is implemented.
    """

    commands: frozenset[str]
    description: str = ""

    @property
    def is_implemented(self) -> bool:
        """Return whether the field is implemented."""
        return bool(self.description)


_ALL = frozenset({START, STATUS, CANCEL})
_ONLY_START = frozenset({START})
_ONLY_STATUS = frozenset({STATUS})
_ALL_BUT_START = frozenset({STATUS, CANCEL})
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
            "`update` (the default) changes existing students only, `add` also adds new ones",
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
            _ONLY_START,
            "a text of at most 200 characters that is shown with the update",
        ),
        "notify": Field(
            _ONLY_START,
            "email addresses of staff of your district who also get the emails about this update, "
            "as in `notify=a@school.example,b@school.example`",
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
