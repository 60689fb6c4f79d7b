"""The views of ``start``, ``status`` and ``cancel``: check the request, do the work, answer."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from types import MappingProxyType

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters

from rollbook.doors.studentupdate import answers
from rollbook.doors.studentupdate.asking import note
from rollbook.doors.studentupdate.call import Call, CheckedRequest
from rollbook.doors.studentupdate.command_reference import CANCEL, COMMANDS, START, STATUS, Command
from rollbook.doors.studentupdate.order import check_request, received
from rollbook.doors.studentupdate.wire import Answer, answered
from rollbook.updates.cancel import cancel as cancel_update

Door = Callable[[HttpRequest], HttpResponse]
Handler = Callable[[CheckedRequest], Answer]


def _start(request: CheckedRequest) -> Answer:
    """Create an update from the file."""
    receipt = received(request)
    result = "replayed" if receipt.replayed else receipt.update.state
    _note(request, result, receipt.update.number)
    return answers.started(receipt, request.choices.ignored, request.call.now)


def _status(request: CheckedRequest) -> Answer:
    """Answer how far an update is."""
    choices = request.choices
    return answers.state_of(request.member, choices.number, choices.ignored, request.call.now)


def _cancel(request: CheckedRequest) -> Answer:
    """Stop an update."""
    number, ignored = request.choices.number, request.choices.ignored
    result = cancel_update(request.member.district, number)
    outcome = "done" if result.done else "nothing to cancel"
    if result.update:
        _note(request, outcome, result.update.number)
    return answers.canceled(request.member, number, result, ignored, timezone.now())


def _note(checked: CheckedRequest, result: str, number: int) -> None:
    call = checked.call
    detail = f"update {number}"
    note(call.request, call.command.name, result, call.now, member=checked.member, detail=detail)


HANDLERS: Mapping[str, Handler] = MappingProxyType({START: _start, STATUS: _status, CANCEL: _cancel})


def _door(command: Command) -> Door:
    def called(request: HttpRequest) -> Answer:
        with ExitStack() as ended:
            call = Call(request, command, timezone.now(), ended)
            return HANDLERS[command.name](check_request(call))

    @csrf_exempt
    @sensitive_post_parameters()
    def door(request: HttpRequest) -> HttpResponse:
        return answered(request, lambda: called(request), allow="POST")

    return door


start, status, cancel = (_door(command) for command in COMMANDS)
