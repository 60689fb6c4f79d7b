"""``start``, ``status`` and ``cancel``: each call goes through the refusals, then is done and answered."""

from collections.abc import Callable
from contextlib import ExitStack

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters

from rollbook.doors.studentupdate import answers, fields
from rollbook.doors.studentupdate.answers import Answer
from rollbook.doors.studentupdate.asking import note
from rollbook.doors.studentupdate.call import Call, Command
from rollbook.doors.studentupdate.order import ORDER
from rollbook.doors.studentupdate.wire import answered
from rollbook.updates.cancel import cancel as cancel_update

Door = Callable[[HttpRequest], HttpResponse]


def _start(call: Call) -> Answer:
    receipt = call.receipt
    _note(call, "replayed" if receipt.replayed else receipt.update.state, receipt.update.number)
    return answers.started(receipt, call.choices.ignored, call.now)


def _status(call: Call) -> Answer:
    return answers.state_of(call.member, call.choices.number, call.choices.ignored, call.now)


def _cancel(call: Call) -> Answer:
    result = cancel_update(call.member.district, call.choices.number)
    if result.update:
        _note(call, "done" if result.done else "nothing to cancel", result.update.number)
    return answers.canceled(call.member, call.choices.number, result, call.choices.ignored, timezone.now())


def _note(call: Call, result: str, number: int) -> None:
    note(call.request, call.command.name, result, call.now, member=call.member, detail=f"update {number}")


def _door(command: Command) -> Door:
    def called(request: HttpRequest) -> Answer:
        with ExitStack() as ended:
            call = Call(request, command, timezone.now(), ended)
            for judge in ORDER:
                judge(call)
            return command.act(call)

    @csrf_exempt
    @sensitive_post_parameters()
    def door(request: HttpRequest) -> HttpResponse:
        return answered(request, lambda: called(request), allow="POST")

    return door


COMMANDS = (
    Command(fields.START, takes_file=True, act=_start),
    Command(fields.STATUS, takes_file=False, act=_status),
    Command(fields.CANCEL, takes_file=False, act=_cancel),
)
start, status, cancel = (_door(command) for command in COMMANDS)
