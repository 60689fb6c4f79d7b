"""A request to one of the three commands, before and after its checks."""

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest

from rollbook.accounts.models import Member
from rollbook.web.api.fields import StartOptions
from rollbook.web.http.command_reference import Command
from rollbook.web.http.upload_form import Form


@dataclass(frozen=True)
class ApiRequest:
    """A request as it came in; its file and its quota are released when ``ended`` closes."""

    request: HttpRequest
    command: Command
    now: datetime
    ended: ExitStack


@dataclass(frozen=True)
class CheckedRequest:
    """A request that passed every step: who sends it, and what it asks for."""

    call: ApiRequest
    form: Form
    member: Member
    choices: StartOptions
