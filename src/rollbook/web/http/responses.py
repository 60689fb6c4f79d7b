"""An answer or a refusal as HTTP: plain text, or JSON for whoever asks for it."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from errno import EDQUOT, ENOSPC
from http import HTTPStatus

from django.core.serializers.json import DjangoJSONEncoder
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from rollbook.web.http.error_codes import ApiError

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"
PROBLEM = "application/problem+json"
BASIC = 'Basic realm="Rollbook", charset="UTF-8"'
BEARER = 'Bearer realm="Rollbook", error="invalid_token"'
DISK_FULL = {ENOSPC, EDQUOT}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ApiResponse:
    """Lines of text, and the same as JSON; its status may differ from that of the text."""

    lines: tuple[str, ...]
    facts: Mapping[str, object]
    status: int = 200
    json_status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    json_headers: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""  # the code of what is wrong, if something is


def respond_or_error(
    request: HttpRequest, answer: Callable[[], ApiResponse], allow: str
) -> HttpResponse:
    """Work out the answer, or say why there is none. ``allow`` is the method this address answers."""
    try:
        return respond(request, answer())
    except ApiError as refused:
        return error_response(request, refused, allow)
    except (OperationalError, InterfaceError):
        log.warning("the database is not available", exc_info=True)
        return error_response(request, ApiError("database_busy"))
    except OSError as error:
        log.warning("the spool takes no file", exc_info=True)
        return error_response(
            request, ApiError("disk_full" if error.errno in DISK_FULL else "storage_failed")
        )


def respond(request: HttpRequest, answer: ApiResponse) -> HttpResponse:
    """The answer in the form the caller asked for."""
    if not wants_json(request):
        return _response(TEXT, _text(answer.lines), answer.status, answer.headers)
    headers = {**answer.headers, **answer.json_headers}
    if answer.problem:
        body = _problem(answer.status, answer.problem, answer.lines[0]) | dict(answer.facts)
        return _response(PROBLEM, _json(body), answer.status, headers)
    return _response(JSON, _json(answer.facts), answer.json_status, headers)


def error_response(request: HttpRequest, refused: ApiError, allow: str = "") -> HttpResponse:
    """``ERROR code: what happened; what to do``, or the same as a problem of RFC 9457."""
    headers = _headers(refused, allow)
    if wants_json(request):
        return _response(
            PROBLEM,
            _json(_problem(refused.status, refused.code, refused.text)),
            refused.status,
            headers,
        )
    return _response(
        TEXT, _text((f"ERROR {refused.code}: {refused.text}",)), refused.status, headers
    )


def wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/plain", JSON, PROBLEM]) in {JSON, PROBLEM}


def _headers(refused: ApiError, allow: str) -> dict[str, str]:
    headers = {}
    if refused.retry_after:
        headers["Retry-After"] = str(refused.retry_after)
    if refused.status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = allow
    if refused.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = BEARER if refused.code == "token_failed" else BASIC
    return headers


def _problem(status: int, code: str, detail: str) -> dict[str, object]:
    return {"title": HTTPStatus(status).phrase, "status": status, "code": code, "detail": detail}


def _json(body: Mapping[str, object]) -> str:
    return json.dumps(body, cls=DjangoJSONEncoder, ensure_ascii=False) + "\n"


def _text(lines: tuple[str, ...]) -> str:
    return "\n".join((*lines, ""))


def _response(
    content_type: str, body: str, status: int, headers: Mapping[str, str]
) -> HttpResponse:
    return HttpResponse(body, content_type=content_type, status=status, headers=dict(headers))
