"""One call of one command, on its way from the bare request to what it may do."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest

from rollbook.doors.studentupdate.answers import Answer
from rollbook.doors.studentupdate.client import Credentials
from rollbook.doors.studentupdate.fields import Choices
from rollbook.doors.studentupdate.form import Form
from rollbook.staff.models import Member, Token
from rollbook.updates.receive import Receipt


@dataclass(frozen=True)
class Command:
    """One of the three addresses. ``act`` does the work and answers, when nothing spoke against it."""

    name: str
    takes_file: bool
    act: Callable[["Call"], Answer]

    @property
    def address(self) -> str:
        return f"{settings.URL}/slc/studentupdate/{self.name}"

    @property
    def example(self) -> str:
        """How to call it, without a secret among the arguments."""
        file = "-F file=@students.csv " if self.takes_file else ""
        return f"curl {file}-F login=you@school.example -F 'password=<password.txt' {self.address}"


@dataclass
class Call:
    """A request and what is known of it so far; each step of ``order.ORDER`` may add a part."""

    request: HttpRequest
    command: Command
    now: datetime
    ended: ExitStack
    form: Form = field(init=False)
    credentials: Credentials = field(init=False, repr=False)
    member: Member = field(init=False)
    token: Token | None = field(init=False)
    choices: Choices = field(init=False)
    receipt: Receipt = field(init=False)
