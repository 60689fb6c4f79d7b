"""The steps that check a request, in one order: the first refusal is the answer."""

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import parse_qsl

from django.conf import settings

from rollbook.accounts.models import Member, Token
from rollbook.client_network import client_network
from rollbook.text import join_words, printable, updates
from rollbook.updates.receiving.receive import QueueFull, Receipt, receive
from rollbook.web.api.fields import StartOptions, parse_fields, unknown
from rollbook.web.api.request import ApiRequest, CheckedRequest
from rollbook.web.http import authentication, client
from rollbook.web.http.command_reference import FIELDS
from rollbook.web.http.error_codes import ApiError
from rollbook.web.http.upload_form import MAX_FORM_BYTES, Form, read_form, require_size
from rollbook.web.http.upload_quota import UPLOAD_QUOTA

SECRET_FIELDS = frozenset(
    {"login", "password", "user", "username", "email", "pass", "passwd", "pwd", "token", "key"}
)
HINTS: Mapping[str, str] = MappingProxyType(
    {
        "application/x-www-form-urlencoded": "curl -d does not send a file; write -F instead of -d",
        "application/json": "JSON is not taken here; send a form",
        "text/csv": "the file must be a part of a form; write -F file=@students.csv instead of --data-binary",
    }
)


def check_request(call: ApiRequest) -> CheckedRequest:
    """Take every step in order; the first one that raises Refused is the answer.

    ``start`` has one more step after these: ``received`` (415, 422, then 429).
    """
    require_https(call)  # 403
    require_post(call)  # 405
    reject_query_string(call)  # 400
    require_multipart(call)  # 415
    require_content_length(call)  # 411
    check_size(call)  # 413
    check_throttle(call)  # 429
    reserve_upload_quota(call)  # 429, 503
    form = read_request_form(call)  # 400; this reads the body, and the steps above do without it
    credentials = read_credentials(call, form)  # 400
    member, token = authenticate(call, credentials)  # 401
    authorize(call, member, token)  # 403
    choices = parse_options(call, form)  # 400
    return CheckedRequest(call, form, member, choices)


def require_https(call: ApiRequest) -> None:
    """Refuse plain HTTP."""
    authentication.require_https(call.request)


def require_post(call: ApiRequest) -> None:
    """Refuse every method but POST."""
    if call.request.method != "POST":
        raise ApiError("use_post", command=call.command.example)


def reject_query_string(call: ApiRequest) -> None:
    """Refuse a query string, and record credentials in it."""
    query = call.request.META.get("QUERY_STRING", "")
    names = {name.casefold() for name, _ in parse_qsl(query, keep_blank_values=True)}
    if names & SECRET_FIELDS:
        authentication.note_exposed(call.request, call.command.name, call.now)
        raise ApiError("credentials_in_address", command=call.command.example)
    if query:
        raise ApiError("query_string", command=call.command.example)


def require_multipart(call: ApiRequest) -> None:
    """Refuse a body that is no multipart form."""
    if _says_all_in_its_header(call):
        return
    if call.request.content_type != "multipart/form-data":
        hint = HINTS.get(call.request.content_type or "", "what was sent is not a form")
        raise ApiError("not_a_form", hint=hint, command=call.command.example)
    if call.request.headers.get("Content-Encoding", "identity").strip().casefold() != "identity":
        raise ApiError("content_encoded")


def require_content_length(call: ApiRequest) -> None:
    """Refuse a body of unknown length."""
    if (
        not _says_all_in_its_header(call)
        and not call.request.META.get("CONTENT_LENGTH", "").isdecimal()
    ):
        raise ApiError("length_required")


def check_size(call: ApiRequest) -> None:
    """Refuse a body that is larger than the largest file and its form."""
    require_size(_length(call), _largest(call))


def check_throttle(call: ApiRequest) -> None:
    """Refuse an address from which too many sign-ins failed."""
    authentication.require_unthrottled(call.request, call.now)


def reserve_upload_quota(call: ApiRequest) -> None:
    """Reserve room for the body; refuse it if this address, or everybody, sends too much now."""
    if call.command.takes_file:
        home = client_network(client.address_of(call.request))
        call.ended.enter_context(UPLOAD_QUOTA.reserve(home, _length(call), _largest(call)))


def read_request_form(call: ApiRequest) -> Form:
    """Read the body, all of it, with its file if the command takes one."""
    takes_file = "file" if call.command.takes_file else None
    form = read_form(call.request, call.ended, command=call.command.example, takes_file=takes_file)
    for name, values in form.fields.items():
        if name in FIELDS and len(values) > 1:
            raise ApiError("duplicate_field", field=name)
    if call.command.takes_file:
        _require_file(form)
    return form


def read_credentials(call: ApiRequest, form: Form) -> client.Credentials:
    """Read the credentials from the header or from the form."""
    fields = form.fields
    header = client.credentials_in_header(call.request)
    if header and {"login", "password"} & fields.keys():
        raise ApiError("duplicate_field", field="the sign-in")
    if header:
        return header
    if "login" not in fields:
        raise ApiError("missing_login", sent=_sent(form))
    if "password" not in fields:
        raise ApiError("missing_password", sent=_sent(form))
    return fields["login"][0], fields["password"][0]


def authenticate(call: ApiRequest, credentials: client.Credentials) -> tuple[Member, Token | None]:
    """Return the member and, if one was used, the token."""
    return authentication.authenticate(call.request, credentials, call.now)


def authorize(call: ApiRequest, member: Member, token: Token | None) -> None:
    """Refuse a member without the permission, and a token without the scope."""
    authentication.require_permission(call.request, member, call.command.name, call.now)
    authentication.require_scope(call.request, token, call.command.name, call.now)


def parse_options(call: ApiRequest, form: Form) -> StartOptions:
    """Parse the optional fields; refuse what is misspelled or not supported."""
    if "Idempotency-Key" in call.request.headers:
        raise ApiError("not_supported", what="Idempotency-Key")
    return parse_fields(call.command.name, form.fields)


def receive_file(request: CheckedRequest) -> Receipt:
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
        raise ApiError("queue_full", waiting=updates(full.waiting)) from None


def _says_all_in_its_header(call: ApiRequest) -> bool:
    """``curl --netrc -X POST …/status`` needs no form: the sign-in is in the header, and there is nothing to add."""
    has_body = _length(call) or "Transfer-Encoding" in call.request.headers
    return not has_body and not call.command.takes_file


def _length(call: ApiRequest) -> int:
    announced = call.request.META.get("CONTENT_LENGTH", "")
    return int(announced) if announced.isdecimal() else 0


def _largest(call: ApiRequest) -> int:
    """Bytes of body: the largest file and the form around it."""
    return MAX_FORM_BYTES + (settings.MAX_UPLOAD_BYTES if call.command.takes_file else 0)


def _require_file(form: Form) -> None:
    if "file" in form.fields:
        raise ApiError("file_is_text")
    form.require_upload(_sent(form))


def _sent(form: Form) -> str:
    """What was sent instead, for whoever wrote ``user=``."""
    others = [printable(name, 40) for name in unknown(form.fields)][:5]
    return f"; what was sent is called {join_words(others)}" if others else ""
