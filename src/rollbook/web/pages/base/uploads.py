"""Receive a file that is uploaded from a page.

The request is checked before its body is read, and the file is written straight to the spool, as
for the upload commands. Django would read the form to find the CSRF token, with its own upload
handlers. So the form is read here, and the token is passed to Django's check afterward; nothing
is kept before that check.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from types import MappingProxyType

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.csrf import csrf_protect

from rollbook.studentfile.reading.encodings import normalize_encoding_name
from rollbook.studentfile.small_csv import CsvRejected
from rollbook.web.http.error_codes import ApiError
from rollbook.web.http.responses import DISK_FULL
from rollbook.web.http.upload_form import MAX_FORM_BYTES, Form, read_form, require_size
from rollbook.web.http.upload_quota import UPLOAD_QUOTA, caller_of

FILE, ENCODING, TOKEN = "file", "encoding", "csrfmiddlewaretoken"
ENCODINGS: Mapping[str, str] = MappingProxyType(
    {
        "utf-8": "UTF-8",
        "cp1252": "Windows-1252 (older Excel on Windows)",
        "mac-roman": "Mac Roman (older Excel on a Mac)",
        "latin-1": "Latin-1 (some databases)",
    }
)
"""Encodings offered on pages instead of the district's; scripts may name any that Python knows."""

RETRY = "Wait a moment, then choose the file again."
UNREADABLE = "The form could not be read. Choose the file again and submit the form once more."
MESSAGES: Mapping[str, str] = MappingProxyType(
    {
        "missing_file": "No file was chosen. Choose your student file, then try again.",
        "too_many_files": (
            "More than one file was sent. Choose one file at a time; each is a separate update."
        ),
        "too_large": (
            "The file is larger than {limit} bytes and was not kept. "
            "Split it by school, and upload the parts one after the other."
        ),
        "incomplete_upload": "The upload was interrupted; nothing was kept. Choose the file again.",
        "too_many_uploads": f"Other files from your network are still being uploaded. {RETRY}",
        "server_busy": (
            f"Too many files are being uploaded right now. Your file was not kept. {RETRY}"
        ),
        "uploads_unidentified": (
            f"Too many files are being uploaded right now. Your file was not kept. {RETRY}"
        ),
        "disk_full": (
            f"The server is out of disk space and your file was not kept. {RETRY} "
            "If the problem continues, tell your Rollbook administrator."
        ),
        "storage_failed": (
            f"The server can't store files right now and your file was not kept. {RETRY} "
            "If the problem continues, tell your Rollbook administrator."
        ),
    }
)
"""Messages by error code; for all other codes the request is not a form of our pages."""

log = logging.getLogger(__name__)


def user_message(refused: ApiError) -> str:
    """Return what happened and what to do, worded for pages."""
    return MESSAGES.get(refused.code, UNREADABLE).format(limit=f"{settings.MAX_UPLOAD_BYTES:,}")


def handle_upload(request: HttpRequest, take: Callable[[Form], HttpResponse]) -> HttpResponse:
    """Read the form, check its CSRF token and return the response of ``take``.

    Args:
        request: the request, of which nothing has been read yet.
        take: called with the form; the file is discarded afterward unless ``take`` keeps it.

    Raises:
        ApiError: if the request or the file cannot be accepted.
    """
    try:
        with ExitStack() as exit_stack:
            _require_acceptable(request, exit_stack)
            form = read_form(request, exit_stack, command="", takes_file=FILE)
            return _check_token(request, form, take)
    except OSError as error:
        log.warning("the spool takes no file", exc_info=True)
        code = "disk_full" if error.errno in DISK_FULL else "storage_failed"
        raise ApiError(code) from None


def small_file(form: Form, largest: int) -> bytes:
    """Return the content of the form's file, which may have at most ``largest`` bytes.

    Raises:
        ApiError: if the form has no file.
        CsvRejected: if the file is larger.
    """
    incoming = form.require_upload().incoming
    if incoming.size > largest:
        raise CsvRejected(
            "too_large", 1, f"begins a file of more than {largest:,} bytes; choose the right one"
        )
    incoming.finish()
    with incoming.content.open("rb") as file:
        return file.read()


def chosen_encoding(form: Form) -> str:
    """Return the chosen encoding by Python's name; empty for the district's.

    Raises:
        ApiError: if the encoding is not one of ``ENCODINGS``.
    """
    chosen = form.fields.get(ENCODING, [""])[0]
    if chosen not in {"", *ENCODINGS}:
        raise ApiError("wrong_value", field=ENCODING, value="", repair="")
    return normalize_encoding_name(chosen) if chosen else ""


def _require_acceptable(request: HttpRequest, exit_stack: ExitStack) -> None:
    """Check what can be checked before the body is read, and reserve room for the file.

    The reservation ends when ``exit_stack`` closes.
    """
    length = request.META.get("CONTENT_LENGTH", "")
    if request.content_type != "multipart/form-data":
        raise ApiError("not_a_form", hint="", command="")
    if not length.isdecimal():
        raise ApiError("length_required")
    max_bytes = MAX_FORM_BYTES + settings.MAX_UPLOAD_BYTES
    require_size(int(length), max_bytes)
    caller = caller_of(request, is_proven=True)  # only pages of signed-in members take files
    exit_stack.enter_context(UPLOAD_QUOTA.reserve(caller, int(length), max_bytes))


def _check_token(
    request: HttpRequest, form: Form, take: Callable[[Form], HttpResponse]
) -> HttpResponse:
    post = QueryDict(mutable=True)
    post[TOKEN] = form.fields.get(TOKEN, [""])[0]
    request.POST = post  # type: ignore[assignment]
    return csrf_protect(lambda _: take(form))(request)
