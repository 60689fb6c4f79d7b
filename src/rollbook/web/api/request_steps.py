"""Check a request in a fixed order of steps; the first error is the response."""

from collections.abc import Mapping
from types import MappingProxyType

from django.conf import settings

from rollbook.accounts.auth.sign_in import fold_login
from rollbook.accounts.members.members import find_active
from rollbook.accounts.models import Member, Token
from rollbook.districts import modes
from rollbook.districts.modes import Channel, ModeNotAllowed
from rollbook.districts.suspension import DistrictSuspended
from rollbook.text import join_words, name_updates, printable
from rollbook.updates.mappings.choice import UnknownMapping
from rollbook.updates.receiving.kept_bytes import QuotaExceeded
from rollbook.updates.receiving.receive import QueueFull, Receipt, receive
from rollbook.web.api.fields import MAX_SHOWN_LENGTH, StartOptions, parse_fields, unknown
from rollbook.web.api.request import ApiRequest, CheckedRequest
from rollbook.web.http import authentication, client
from rollbook.web.http.command_reference import FIELDS
from rollbook.web.http.error_codes import ApiError
from rollbook.web.http.upload_form import MAX_FORM_BYTES, Form, read_form, require_size
from rollbook.web.http.upload_quota import UPLOAD_QUOTA, caller_of

_UTF_16_MARK = "\ufffd\ufffd"
HINTS: Mapping[str, str] = MappingProxyType(
    {
        "application/x-www-form-urlencoded": "curl -d doesn't send a file; use -F instead of -d",
        "application/json": "JSON is not accepted; send a form",
        "text/csv": "the file must be part of a form; use -F file=@students.csv instead of "
        "--data-binary",
    }
)


def check_request(request: ApiRequest) -> CheckedRequest:
    """Take all steps in order; the comments show the HTTP status of their errors.

    For ``start``, ``receive_file`` follows (415, 422, then 429).

    Raises:
        ApiError: The first error.
    """
    require_https(request)  # 403
    reject_exposed_credentials(request)  # 400; before the method, because browsers send GET
    require_post(request)  # 405
    reject_query_string(request)  # 400
    require_multipart(request)  # 415
    require_content_length(request)  # 411
    check_size(request)  # 413
    check_throttle(request)  # 429
    proven = authenticate_header(request)  # 400, 401, 403
    reserve_upload_quota(request, is_proven=proven is not None)  # 429, 503
    form = read_request_form(request)  # 400; the first step that reads the body
    member, token = proven or (authenticate_form(request, form), None)  # 400, 401, 403
    if proven:
        refuse_second_sign_in(form)  # 400
    options = parse_options(request, form)  # 400
    check_mode(request, member, token, options)  # 403
    return CheckedRequest(request, form, member, options, token)


def require_https(request: ApiRequest) -> None:
    """Refuse plain HTTP."""
    authentication.require_https(request.http_request)


def reject_exposed_credentials(request: ApiRequest) -> None:
    """Refuse credentials in the address, and record them."""
    authentication.reject_exposed_credentials(
        request.http_request, request.command.name, request.command.example, request.now
    )


def require_post(request: ApiRequest) -> None:
    """Refuse every method but POST."""
    if request.http_request.method != "POST":
        raise ApiError("use_post", command=request.command.example)


def reject_query_string(request: ApiRequest) -> None:
    """Refuse a query string."""
    if request.http_request.META.get("QUERY_STRING"):
        raise ApiError("query_string", command=request.command.example)


def require_multipart(request: ApiRequest) -> None:
    """Refuse a body that is not a multipart form."""
    if _is_complete_without_body(request):
        return
    if request.http_request.content_type != "multipart/form-data":
        hint = HINTS.get(request.http_request.content_type or "", "the request is not a form")
        raise ApiError("not_a_form", hint=hint, command=request.command.example)
    if (
        request.http_request.headers.get("Content-Encoding", "identity").strip().casefold()
        != "identity"
    ):
        raise ApiError("content_encoded")


def require_content_length(request: ApiRequest) -> None:
    """Refuse a body of unknown length."""
    if (
        not _is_complete_without_body(request)
        and not request.http_request.META.get("CONTENT_LENGTH", "").isdecimal()
    ):
        raise ApiError("length_required")


def check_size(request: ApiRequest) -> None:
    """Refuse a body that is larger than the largest file and its form."""
    require_size(_length(request), _max_length(request))


def check_throttle(request: ApiRequest) -> None:
    """Refuse a client from whose address too many sign-ins have failed."""
    authentication.require_unthrottled(request.http_request, request.now)


def authenticate_header(request: ApiRequest) -> tuple[Member, Token | None] | None:
    """Return the member whose credentials are in the header, and the token if they are one.

    This is before the body is read.
    """
    credentials = client.credentials_in_header(request.http_request)
    if credentials is None:
        return None
    member, token = authentication.authenticate(request.http_request, credentials, request.now)
    authorize(request, member, token)
    return member, token


def reserve_upload_quota(request: ApiRequest, *, is_proven: bool) -> None:
    """Reserve quota for the body; refuse it if the client's or the server's quota is exceeded."""
    if request.command.takes_file:
        caller = caller_of(request.http_request, is_proven=is_proven)
        quota = UPLOAD_QUOTA.reserve(caller, _length(request), _max_length(request))
        request.exit_stack.enter_context(quota)


def read_request_form(request: ApiRequest) -> Form:
    """Read the whole body, with the file if the command takes one."""
    takes_file = "file" if request.command.takes_file else None
    form = read_form(
        request.http_request,
        request.exit_stack,
        command=request.command.example,
        takes_file=takes_file,
    )
    for name, values in form.fields.items():
        if name in FIELDS and len(values) > 1:
            raise ApiError("duplicate_field", field=name)
    if request.command.takes_file:
        _require_file(form)
    return form


def refuse_second_sign_in(form: Form) -> None:
    """Refuse a form with a login or password if the header has credentials, too."""
    if {"login", "password"} & form.fields.keys():
        raise ApiError("duplicate_field", field="the sign-in")


def authenticate_form(request: ApiRequest, form: Form) -> Member:
    """Return the member whose login and password are in the form."""
    fields = form.fields
    if "login" not in fields:
        raise ApiError("missing_login", sent=_sent(form))
    if "password" not in fields:
        raise ApiError("missing_password", sent=_sent(form))
    _reject_utf16(fields)
    credentials = fields["login"][0], fields["password"][0]
    member = authentication.member_of(request.http_request, credentials, request.now)
    authorize(request, member, None)
    return member


def _reject_utf16(fields: Mapping[str, list[str]]) -> None:
    """Refuse a login or password from a file that PowerShell saved as UTF-16.

    The two bytes of its byte order mark are invalid in UTF-8, and every other byte is NUL.
    """
    for name in ("login", "password"):
        text = fields[name][0]
        if text.startswith(_UTF_16_MARK) and "\0" in text:
            raise ApiError("field_is_utf16", field=name)


def authorize(request: ApiRequest, member: Member, token: Token | None) -> None:
    """Refuse a member without the permission, and a token without the scope."""
    command = request.command
    authentication.require_permission(request.http_request, member, command.name, request.now)
    authentication.require_scope(
        request.http_request, token, command.name, command.scope, request.now
    )


def parse_options(request: ApiRequest, form: Form) -> StartOptions:
    """Parse the optional fields; refuse what is misspelled or not supported."""
    if "Idempotency-Key" in request.http_request.headers:
        raise ApiError("not_supported", what="Idempotency-Key")
    options = parse_fields(request.command.name, form.fields)
    if request.command.is_decision and (options.number is None or not options.plan):
        raise ApiError("which_plan", command=request.command.example)
    return options


def check_mode(
    request: ApiRequest, member: Member, token: Token | None, options: StartOptions
) -> None:
    """Refuse a mode that the district doesn't allow for scripts, or the token."""
    if not request.command.takes_file:
        return
    authentication.require_mode(request.http_request, token, options.mode, request.now)
    try:
        modes.require_allowed(member.district, Channel.SCRIPTS, options.mode)
    except ModeNotAllowed as refused:
        raise ApiError("mode_not_allowed", reason=refused) from None


def receive_file(checked: CheckedRequest) -> Receipt:
    """Create the update; a file of the wrong type or structure becomes a refused update."""
    upload = checked.form.require_upload()
    try:
        return receive(
            checked.member.district,
            upload.incoming,
            file_name=upload.name,
            mode=checked.options.mode,
            encoding=checked.options.encoding,
            member=checked.member,
            token_limits=checked.token.limits if checked.token else None,
            token_key=checked.token.key if checked.token else "",
            is_check=checked.options.is_check,
            note=checked.options.note,
            notify=_notified(checked),
            header_map=checked.options.header_map,
        )
    except UnknownMapping as unknown_mapping:
        raise ApiError(
            "wrong_value",
            field="header_map",
            value=printable(str(unknown_mapping), MAX_SHOWN_LENGTH),
            repair=unknown_mapping.repair,
        ) from None
    except QueueFull as full:
        raise ApiError("queue_full", waiting=name_updates(full.waiting)) from None
    except QuotaExceeded as exceeded:
        raise ApiError("quota_exceeded", reason=str(exceeded)) from None
    except ModeNotAllowed as refused:  # since a moment ago
        raise ApiError("mode_not_allowed", reason=refused) from None
    except DistrictSuspended as suspended:  # while the file was being received
        raise authentication.suspension_error(suspended) from None


def _notified(checked: CheckedRequest) -> list[Member]:
    """Return the members named by ``notify``.

    Raises:
        ApiError: An address is not that of an active member of the district.
    """
    addresses = checked.options.notify
    found = find_active(checked.member.district, addresses)
    known = {member.email for member in found}
    for address in addresses:
        if fold_login(address) not in known:
            raise ApiError(
                "wrong_value",
                field="notify",
                value=printable(address, MAX_SHOWN_LENGTH),
                repair="use the addresses of active staff of your district",
            )
    return found


def _is_complete_without_body(request: ApiRequest) -> bool:
    """Return whether the header is enough, as in ``curl --netrc -X POST …/status``."""
    has_body = _length(request) or "Transfer-Encoding" in request.http_request.headers
    return not has_body and not request.command.takes_file


def _length(request: ApiRequest) -> int:
    length = request.http_request.META.get("CONTENT_LENGTH", "")
    return int(length) if length.isdecimal() else 0


def _max_length(request: ApiRequest) -> int:
    """Return the maximum bytes of a body: the largest file and the form around it."""
    return MAX_FORM_BYTES + (settings.MAX_UPLOAD_BYTES if request.command.takes_file else 0)


def _require_file(form: Form) -> None:
    if "file" in form.fields:
        raise ApiError("file_is_text")
    form.require_upload(_sent(form))


def _sent(form: Form) -> str:
    """Return a clause with the unknown fields, for example if the client sent ``user=``."""
    names = [printable(name, 40) for name in unknown(form.fields)][:5]
    return f"; the unknown fields are {join_words(names)}" if names else ""
