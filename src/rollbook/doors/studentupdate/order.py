"""The refusals, in the order in which they are judged: the first that applies is the answer."""

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from django.conf import settings

from rollbook.doors.studentupdate import asking, client
from rollbook.doors.studentupdate.call import Call
from rollbook.doors.studentupdate.fields import FIELDS, understood, unknown
from rollbook.doors.studentupdate.form import Form, read_form, require_size
from rollbook.doors.studentupdate.refusals import Refused
from rollbook.doors.studentupdate.room import ROOM
from rollbook.staff.origins import origin
from rollbook.updates.receive import QueueFull, receive
from rollbook.updates.wording import listed, safe, updates

LARGEST_FORM = 64 * 1024
SECRETS = frozenset({"login", "password", "user", "username", "email", "pass", "passwd", "pwd", "token", "key"})
HINTS: Mapping[str, str] = {
    "application/x-www-form-urlencoded": "curl -d does not send a file; write -F instead of -d",
    "application/json": "JSON is not taken here; send a form",
    "text/csv": "the file must be a part of a form; write -F file=@students.csv instead of --data-binary",
}


def over_https(call: Call) -> None:
    asking.require_https(call.request)


def by_post(call: Call) -> None:
    if call.request.method != "POST":
        raise Refused("use_post", command=call.command.example)


def nothing_in_the_address(call: Call) -> None:
    query = call.request.META.get("QUERY_STRING", "")
    names = {name.casefold() for name, _ in parse_qsl(query, keep_blank_values=True)}
    if names & SECRETS:
        asking.note_exposed(call.request, call.command.name, call.now)
        raise Refused("credentials_in_address", command=call.command.example)
    if query:
        raise Refused("query_string", command=call.command.example)


def a_form(call: Call) -> None:
    if _says_all_in_its_header(call):
        return
    if call.request.content_type != "multipart/form-data":
        hint = HINTS.get(call.request.content_type or "", "what was sent is not a form")
        raise Refused("not_a_form", hint=hint, command=call.command.example)
    if call.request.headers.get("Content-Encoding", "identity").strip().casefold() != "identity":
        raise Refused("content_encoded")


def of_known_length(call: Call) -> None:
    if not _says_all_in_its_header(call) and not call.request.META.get("CONTENT_LENGTH", "").isdecimal():
        raise Refused("length_required")


def not_too_large(call: Call) -> None:
    require_size(_length(call), _largest(call))


def not_throttled(call: Call) -> None:
    asking.require_unthrottled(call.request, call.now)


def room_for_it(call: Call) -> None:
    """Part of the same judgement: whether this address, and anybody, may send that much now."""
    if call.command.takes_file:
        home = origin(client.address_of(call.request))
        call.ended.enter_context(ROOM.taken(home, _length(call), _largest(call)))


def complete(call: Call) -> None:
    """The body is read here; everything before this step was judged without it."""
    call.form = read_form(
        call.request,
        call.ended,
        command=call.command.example,
        takes_file="file" if call.command.takes_file else None,
    )
    for name, values in call.form.fields.items():
        if name in FIELDS and len(values) > 1:
            raise Refused("duplicate_field", field=name)
    if call.command.takes_file:
        _require_file(call.form)
    call.credentials = _credentials(call)


def signed_in(call: Call) -> None:
    call.member, call.token = asking.caller(call.request, call.credentials, call.now)


def allowed(call: Call) -> None:
    asking.require_right(call.request, call.member, call.command.name, call.now)
    asking.require_scope(call.request, call.token, call.command.name, call.now)


def fields_understood(call: Call) -> None:
    if "Idempotency-Key" in call.request.headers:
        raise Refused("not_supported", what="Idempotency-Key")
    call.choices = understood(call.command.name, call.form.fields)


def received(call: Call) -> None:
    """Kind, structure and queue. A file of the wrong kind or structure is no error of the call: it leaves an update."""
    if call.form.upload is None:
        return
    try:
        call.receipt = receive(
            call.member.district,
            call.form.upload.incoming,
            file_name=call.form.upload.name,
            mode=call.choices.mode,
            encoding=call.choices.encoding,
            member=call.member,
        )
    except QueueFull as full:
        raise Refused("queue_full", waiting=updates(full.waiting)) from None


ORDER: tuple[Callable[[Call], None], ...] = (
    over_https,  # 403
    by_post,  # 405
    nothing_in_the_address,  # 400
    a_form,  # 415
    of_known_length,  # 411
    not_too_large,  # 413
    not_throttled,  # 429
    room_for_it,  # 429, 503
    complete,  # 400
    signed_in,  # 401
    allowed,  # 403
    fields_understood,  # 400
    received,  # 415, 422, then 429
)


def _says_all_in_its_header(call: Call) -> bool:
    """``curl --netrc -X POST …/status`` needs no form: the sign-in is in the header, and there is nothing to add."""
    has_body = _length(call) or "Transfer-Encoding" in call.request.headers
    return not has_body and not call.command.takes_file


def _length(call: Call) -> int:
    announced = call.request.META.get("CONTENT_LENGTH", "")
    return int(announced) if announced.isdecimal() else 0


def _largest(call: Call) -> int:
    """Bytes of body: the largest file and the form around it."""
    return LARGEST_FORM + (settings.MAX_UPLOAD_BYTES if call.command.takes_file else 0)


def _require_file(form: Form) -> None:
    if "file" in form.fields:
        raise Refused("file_is_text")
    if form.upload is None:
        raise Refused("missing_file", sent=_sent(form))


def _credentials(call: Call) -> client.Credentials:
    """Out of the header or out of the form."""
    fields = call.form.fields
    header = client.credentials_in_header(call.request)
    if header and {"login", "password"} & fields.keys():
        raise Refused("duplicate_field", field="the sign-in")
    if header:
        return header
    if "login" not in fields:
        raise Refused("missing_login", sent=_sent(call.form))
    if "password" not in fields:
        raise Refused("missing_password", sent=_sent(call.form))
    return fields["login"][0], fields["password"][0]


def _sent(form: Form) -> str:
    """What was sent instead, for whoever wrote ``user=``."""
    others = [safe(name, 40) for name in unknown(form.fields)][:5]
    return f"; what was sent is called {listed(others)}" if others else ""
