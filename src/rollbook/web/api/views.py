"""The views of the upload commands: check the request, handle it, respond."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from types import MappingProxyType

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters

from rollbook.districts.suspension import DistrictSuspended
from rollbook.updates.cancel import cancel as cancel_update
from rollbook.updates.planning import decisions
from rollbook.updates.planning.decisions import Decider, NotDecided
from rollbook.web.api import responses
from rollbook.web.api.request import ApiRequest, CheckedRequest
from rollbook.web.api.request_steps import check_request, receive_file
from rollbook.web.api.waiting import wait_for_end
from rollbook.web.http.authentication import audit_request, suspension_error
from rollbook.web.http.command_reference import (
    APPROVE,
    CANCEL,
    COMMANDS,
    DISCARD,
    START,
    STATUS,
    Command,
)
from rollbook.web.http.error_codes import ApiError
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


def _decide(checked: CheckedRequest) -> ApiResponse:
    """Approve or discard the plan that the request names; the decision is audited with it."""
    options, now, district = checked.options, checked.request.now, checked.member.district
    key = checked.token.key if checked.token else ""
    by = Decider(checked.member, token_key=key, note=options.note)
    number = options.number or 0
    try:
        if checked.request.command.name == APPROVE:
            update = decisions.approve(district, number, options.plan, by, now, options.without)
        else:
            update = decisions.discard(district, number, options.plan, by, now)
    except NotDecided as refused:
        _audit(checked, refused.code.replace("_", " "), number)
        raise ApiError(refused.code, reason=refused) from None
    except DistrictSuspended as suspended:
        raise suspension_error(suspended) from None
    return responses.decided(update, options.ignored, now)


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
    {START: _start, STATUS: _status, CANCEL: _cancel, APPROVE: _decide, DISCARD: _decide}
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


start, status, cancel, approve, discard = (_view(command) for command in COMMANDS)
