"""A file on its way through the browser: judged before its body is read, then straight into the spool, as from curl.

Django would read the form when it looks for the token in it, with handlers of its own. So the form is read here, and
the token handed to Django's check afterwards; before that check nothing is kept.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from types import MappingProxyType

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.csrf import csrf_protect

from rollbook.client_network import client_network
from rollbook.studentfile.reading.encodings import normalize_encoding_name
from rollbook.studentfile.small_csv import CsvRejected
from rollbook.web.http.client import address_of
from rollbook.web.http.error_codes import ApiError
from rollbook.web.http.responses import DISK_FULL
from rollbook.web.http.upload_form import MAX_FORM_BYTES, Form, read_form, require_size
from rollbook.web.http.upload_quota import UPLOAD_QUOTA

FILE, ENCODING, TOKEN = "file", "encoding", "csrfmiddlewaretoken"
ENCODINGS: Mapping[str, str] = MappingProxyType(
    {
        "utf-8": "UTF-8",
        "cp1252": "Windows-1252: older Excel on Windows",
        "mac-roman": "Mac Roman: older Excel on a Mac",
        "latin-1": "Latin-1: some databases",
    }
)
"""What a person may choose instead of the district's; ``known_encoding`` knows more, for scripts."""

LATER = "Wait a moment, then choose the file again."
UNREADABLE = (
    "What was sent could not be read as this form. Choose the file again, and send it once more."
)
WORDS: Mapping[str, str] = MappingProxyType(
    {
        "missing_file": "No file was chosen. Choose your student file, then press the button again.",
        "too_many_files": "More than one file was sent. Choose one file; each becomes an update of its own.",
        "too_large": "The file is larger than {limit} bytes, and nothing of it was kept. "
        "Split it by school, and send the parts one after the other.",
        "incomplete_upload": "The file did not arrive whole, and nothing of it was kept. Choose it again.",
        "too_many_uploads": f"Other files from your address are still on their way. {LATER}",
        "server_busy": f"Too many files are coming in at once, and nothing of yours was kept. {LATER}",
        "disk_full": f"The server has no room for the file now, and nothing of it was kept. {LATER} "
        "If it stays like that, tell the operator of the server.",
        "storage_failed": f"The server cannot store files now, and nothing was kept. {LATER} "
        "If it stays like that, tell the operator of the server.",
    }
)
"""What a person is told where a script gets a code; all else is no form that these pages have."""

log = logging.getLogger(__name__)


def said(refused: ApiError) -> str:
    """What happened and what to do, for somebody at a browser."""
    return WORDS.get(refused.code, UNREADABLE).format(limit=f"{settings.MAX_UPLOAD_BYTES:,}")


def handle_upload(request: HttpRequest, take: Callable[[Form], HttpResponse]) -> HttpResponse:
    """Read the form and let ``take`` have it, or answer that it has expired. Raises Refused.

    The file is discarded in the end unless somebody has taken it over.
    """
    try:
        with ExitStack() as ended:
            _require_acceptable(request, ended)
            form = read_form(request, ended, command="", takes_file=FILE)
            return _if_genuine(request, form, take)
    except OSError as error:
        log.warning("the spool takes no file", exc_info=True)
        raise ApiError("disk_full" if error.errno in DISK_FULL else "storage_failed") from None


def small_file(form: Form, largest: int) -> bytes:
    """The bytes of the form's file, which is one of a few lines. Raises Refused, and TableRefused if it is not."""
    incoming = form.require_upload().incoming
    if incoming.size > largest:
        raise CsvRejected(
            "too_large", 1, f"begins a file of more than {largest:,} bytes; choose the right one"
        )
    incoming.flush()
    return incoming.path.read_bytes()


def encoding_of(form: Form) -> str:
    """The encoding that was chosen, as Python spells it; empty for the district's."""
    chosen = form.fields.get(ENCODING, [""])[0]
    if chosen not in {"", *ENCODINGS}:
        raise ApiError("wrong_value", field=ENCODING, value="", repair="")
    return normalize_encoding_name(chosen) if chosen else ""


def _require_acceptable(request: HttpRequest, ended: ExitStack) -> None:
    """All that can be judged before a byte of the body is read; room is held until ``ended`` closes."""
    length = request.META.get("CONTENT_LENGTH", "")
    if request.content_type != "multipart/form-data":
        raise ApiError("not_a_form", hint="", command="")
    if not length.isdecimal():
        raise ApiError("length_required")
    largest = MAX_FORM_BYTES + settings.MAX_UPLOAD_BYTES
    require_size(int(length), largest)
    ended.enter_context(
        UPLOAD_QUOTA.reserve(client_network(address_of(request)), int(length), largest)
    )


def _if_genuine(
    request: HttpRequest, form: Form, take: Callable[[Form], HttpResponse]
) -> HttpResponse:
    post = QueryDict(mutable=True)
    post[TOKEN] = form.fields.get(TOKEN, [""])[0]
    request.POST = post  # type: ignore[assignment]
    return csrf_protect(lambda _: take(form))(request)
