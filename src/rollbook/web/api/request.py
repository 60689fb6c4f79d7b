"""A request to one of the upload commands, before and after its checks."""

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest

from rollbook.accounts.models import Member, Token
from rollbook.web.api.fields import StartOptions
from rollbook.web.http.command_reference import Command
from rollbook.web.http.upload_form import Form


@dataclass(frozen=True)
class ApiRequest:
    """A received request; its file and quota are released when ``exit_stack`` closes."""

    http_request: HttpRequest
    command: Command
    now: datetime
    exit_stack: ExitStack


@dataclass(frozen=True)
class CheckedRequest:
    """A request that passed all checks, with its form, sender, options and token if it has one."""

    request: ApiRequest
    form: Form
    member: Member
    options: StartOptions
    token: Token | None = None
