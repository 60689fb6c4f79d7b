"""The views of ``start``, ``status`` and ``cancel``: check the request, do the work, answer."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from types import MappingProxyType

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters

from rollbook.updates.cancel import cancel as cancel_update
from rollbook.web.api import responses
from rollbook.web.api.request import ApiRequest, CheckedRequest
from rollbook.web.api.request_steps import check_request, receive_file
from rollbook.web.http.authentication import audit_request
from rollbook.web.http.command_reference import CANCEL, COMMANDS, START, STATUS, Command
from rollbook.web.http.responses import ApiResponse, respond_or_error

View = Callable[[HttpRequest], HttpResponse]
Handler = Callable[[CheckedRequest], ApiResponse]


def _start(request: CheckedRequest) -> ApiResponse:
    """Create an update from the file."""
    receipt = receive_file(request)
    result = "replayed" if receipt.replayed else receipt.update.state
    _audit(request, result, receipt.update.number)
    return responses.started(receipt, request.choices.ignored, request.call.now)


def _status(request: CheckedRequest) -> ApiResponse:
    """Answer how far an update is."""
    choices = request.choices
    return responses.state_of(request.member, choices.number, choices.ignored, request.call.now)


def _cancel(request: CheckedRequest) -> ApiResponse:
    """Stop an update."""
    number, ignored = request.choices.number, request.choices.ignored
    result = cancel_update(request.member.district, number)
    outcome = "done" if result.done else "nothing to cancel"
    if result.update:
        _audit(request, outcome, result.update.number)
    return responses.canceled(request.member, number, result, ignored, timezone.now())


def _audit(checked: CheckedRequest, result: str, number: int) -> None:
    call = checked.call
    detail = f"update {number}"
    audit_request(
        call.request, call.command.name, result, call.now, member=checked.member, detail=detail
    )


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {START: _start, STATUS: _status, CANCEL: _cancel}
)


def _view(command: Command) -> View:
    def called(request: HttpRequest) -> ApiResponse:
        with ExitStack() as ended:
            call = ApiRequest(request, command, timezone.now(), ended)
            return HANDLERS[command.name](check_request(call))

    @csrf_exempt
    @sensitive_post_parameters()
    def door(request: HttpRequest) -> HttpResponse:
        return respond_or_error(request, lambda: called(request), allow="POST")

    return door


start, status, cancel = (_view(command) for command in COMMANDS)
