"""The steps that check a request, in one order: the first refusal is the answer."""

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import parse_qsl

from django.conf import settings

from rollbook.doors.studentupdate import asking, client
from rollbook.doors.studentupdate.call import Call, CheckedRequest
from rollbook.doors.studentupdate.command_reference import FIELDS
from rollbook.doors.studentupdate.fields import Choices, understood, unknown
from rollbook.doors.studentupdate.form import LARGEST_FORM, Form, read_form, require_size
from rollbook.doors.studentupdate.refusals import Refused
from rollbook.doors.studentupdate.room import ROOM
from rollbook.staff.models import Member, Token
from rollbook.staff.origins import origin
from rollbook.updates.receive import QueueFull, Receipt, receive
from rollbook.updates.wording import listed, safe, updates

SECRETS = frozenset({"login", "password", "user", "username", "email", "pass", "passwd", "pwd", "token", "key"})
HINTS: Mapping[str, str] = MappingProxyType(
    {
        "application/x-www-form-urlencoded": "curl -d does not send a file; write -F instead of -d",
        "application/json": "JSON is not taken here; send a form",
        "text/csv": "the file must be a part of a form; write -F file=@students.csv instead of --data-binary",
    }
)


def check_request(call: Call) -> CheckedRequest:
    """Take every step in order; the first one that raises Refused is the answer.

    ``start`` has one more step after these: ``received`` (415, 422, then 429).
    """
    over_https(call)  # 403
    by_post(call)  # 405
    nothing_in_the_address(call)  # 400
    a_form(call)  # 415
    of_known_length(call)  # 411
    not_too_large(call)  # 413
    not_throttled(call)  # 429
    room_for_it(call)  # 429, 503
    form = complete(call)  # 400; this reads the body, and the steps above do without it
    credentials = read_credentials(call, form)  # 400
    member, token = signed_in(call, credentials)  # 401
    allowed(call, member, token)  # 403
    choices = fields_understood(call, form)  # 400
    return CheckedRequest(call, form, member, choices)


def over_https(call: Call) -> None:
    """Refuse plain HTTP."""
    asking.require_https(call.request)


def by_post(call: Call) -> None:
    """Refuse every method but POST."""
    if call.request.method != "POST":
        raise Refused("use_post", command=call.command.example)


def nothing_in_the_address(call: Call) -> None:
    """Refuse a query string, and record credentials in it."""
    query = call.request.META.get("QUERY_STRING", "")
    names = {name.casefold() for name, _ in parse_qsl(query, keep_blank_values=True)}
    if names & SECRETS:
        asking.note_exposed(call.request, call.command.name, call.now)
        raise Refused("credentials_in_address", command=call.command.example)
    if query:
        raise Refused("query_string", command=call.command.example)


def a_form(call: Call) -> None:
    """Refuse a body that is no multipart form."""
    if _says_all_in_its_header(call):
        return
    if call.request.content_type != "multipart/form-data":
        hint = HINTS.get(call.request.content_type or "", "what was sent is not a form")
        raise Refused("not_a_form", hint=hint, command=call.command.example)
    if call.request.headers.get("Content-Encoding", "identity").strip().casefold() != "identity":
        raise Refused("content_encoded")


def of_known_length(call: Call) -> None:
    """Refuse a body of unknown length."""
    if not _says_all_in_its_header(call) and not call.request.META.get("CONTENT_LENGTH", "").isdecimal():
        raise Refused("length_required")


def not_too_large(call: Call) -> None:
    """Refuse a body that is larger than the largest file and its form."""
    require_size(_length(call), _largest(call))


def not_throttled(call: Call) -> None:
    """Refuse an address from which too many sign-ins failed."""
    asking.require_unthrottled(call.request, call.now)


def room_for_it(call: Call) -> None:
    """Reserve room for the body; refuse it if this address, or everybody, sends too much now."""
    if call.command.takes_file:
        home = origin(client.address_of(call.request))
        call.ended.enter_context(ROOM.taken(home, _length(call), _largest(call)))


def complete(call: Call) -> Form:
    """Read the body, all of it, with its file if the command takes one."""
    takes_file = "file" if call.command.takes_file else None
    form = read_form(call.request, call.ended, command=call.command.example, takes_file=takes_file)
    for name, values in form.fields.items():
        if name in FIELDS and len(values) > 1:
            raise Refused("duplicate_field", field=name)
    if call.command.takes_file:
        _require_file(form)
    return form


def read_credentials(call: Call, form: Form) -> client.Credentials:
    """Read the credentials from the header or from the form."""
    fields = form.fields
    header = client.credentials_in_header(call.request)
    if header and {"login", "password"} & fields.keys():
        raise Refused("duplicate_field", field="the sign-in")
    if header:
        return header
    if "login" not in fields:
        raise Refused("missing_login", sent=_sent(form))
    if "password" not in fields:
        raise Refused("missing_password", sent=_sent(form))
    return fields["login"][0], fields["password"][0]


def signed_in(call: Call, credentials: client.Credentials) -> tuple[Member, Token | None]:
    """Return the member and, if one was used, the token."""
    return asking.caller(call.request, credentials, call.now)


def allowed(call: Call, member: Member, token: Token | None) -> None:
    """Refuse a member without the permission, and a token without the scope."""
    asking.require_right(call.request, member, call.command.name, call.now)
    asking.require_scope(call.request, token, call.command.name, call.now)


def fields_understood(call: Call, form: Form) -> Choices:
    """Parse the optional fields; refuse what is misspelled or not supported."""
    if "Idempotency-Key" in call.request.headers:
        raise Refused("not_supported", what="Idempotency-Key")
    return understood(call.command.name, form.fields)


def received(request: CheckedRequest) -> Receipt:
    """Create the update; a file of the wrong type or structure becomes a refused update."""
    upload = request.form.require_upload()
    try:
        return receive(
            request.member.district,
            upload.incoming,
            file_name=upload.name,
            mode=request.choices.mode,
            encoding=request.choices.encoding,
            member=request.member,
        )
    except QueueFull as full:
        raise Refused("queue_full", waiting=updates(full.waiting)) from None


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
    form.require_upload(_sent(form))


def _sent(form: Form) -> str:
    """What was sent instead, for whoever wrote ``user=``."""
    others = [safe(name, 40) for name in unknown(form.fields)][:5]
    return f"; what was sent is called {listed(others)}" if others else ""
