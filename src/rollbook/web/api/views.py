"""The views of ``start``, ``status`` and ``cancel``: check the request, handle it, respond."""

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
from rollbook.web.api.waiting import wait_for_end
from rollbook.web.http.authentication import audit_request
from rollbook.web.http.command_reference import CANCEL, COMMANDS, START, STATUS, Command
from rollbook.web.http.responses import ApiResponse, respond_or_error

View = Callable[[HttpRequest], HttpResponse]
Handler = Callable[[CheckedRequest], ApiResponse]


def _start(checked: CheckedRequest) -> ApiResponse:
    """Create an update from the file."""
    receipt = receive_file(checked)
    result = "replayed" if receipt.replayed else receipt.update.state
    _audit(checked, result, receipt.update.number)
    return responses.started(receipt, checked.options.ignored, checked.request.now)


def _status(checked: CheckedRequest) -> ApiResponse:
    """Return the progress or result of an update."""
    options = checked.options
    if options.wait:
        wait_for_end(checked.member.district, options.number, options.wait)
    now = timezone.now()
    return responses.state_of(checked.member, options.number, options.ignored, now)


def _cancel(checked: CheckedRequest) -> ApiResponse:
    """Cancel an update."""
    number, ignored = checked.options.number, checked.options.ignored
    result = cancel_update(checked.member.district, number)
    outcome = "done" if result.is_canceled else "nothing to cancel"
    if result.update:
        _audit(checked, outcome, result.update.number)
    return responses.canceled(checked.member, number, result, ignored, timezone.now())


def _audit(checked: CheckedRequest, result: str, number: int) -> None:
    api_request = checked.request
    audit_request(
        api_request.http_request,
        api_request.command.name,
        result,
        api_request.now,
        member=checked.member,
        detail=f"update {number}",
    )


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {START: _start, STATUS: _status, CANCEL: _cancel}
)


def _view(command: Command) -> View:
    def handle(request: HttpRequest) -> ApiResponse:
        with ExitStack() as exit_stack:
            api_request = ApiRequest(request, command, timezone.now(), exit_stack)
            return HANDLERS[command.name](check_request(api_request))

    @csrf_exempt
    @sensitive_post_parameters()
    def view(request: HttpRequest) -> HttpResponse:
        return respond_or_error(request, lambda: handle(request), allow="POST")

    return view


start, status, cancel = (_view(command) for command in COMMANDS)
