"""Build HTTP responses from results and errors: plain text, or JSON if the client accepts it."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from errno import EDQUOT, ENOSPC
from http import HTTPStatus

from django.core.serializers.json import DjangoJSONEncoder
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from rollbook.secret_keys import KeyUnusable
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
    """The result of a request, as text and as JSON.

    Attributes:
        lines: The lines of the text.
        facts: The JSON object.
        status: The HTTP status of the text.
        json_status: The HTTP status of the JSON.
        headers: Headers of both.
        json_headers: Additional headers of the JSON.
        problem: The problem code, if the result is an error.
    """

    lines: tuple[str, ...]
    facts: Mapping[str, object]
    status: int = 200
    json_status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    json_headers: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


def respond_or_error(
    request: HttpRequest, handle: Callable[[], ApiResponse], allow: str
) -> HttpResponse:
    """Return the response of ``handle``, or an error response.

    Args:
        request: The request.
        handle: The function that handles it.
        allow: The method that the address accepts.
    """
    try:
        return respond(request, handle())
    except ApiError as error:
        return error_response(request, error, allow)
    except (OperationalError, InterfaceError):
        log.warning("the database is not available", exc_info=True)
        return error_response(request, ApiError("database_busy"))
    except KeyUnusable:
        log.exception("a secret key is missing on this machine; run `rollbook doctor`")
        return error_response(request, ApiError("key_missing"))
    except OSError as error:
        log.warning("an upload could not be stored", exc_info=True)
        code = "disk_full" if error.errno in DISK_FULL else "storage_failed"
        return error_response(request, ApiError(code))


def respond(request: HttpRequest, result: ApiResponse) -> HttpResponse:
    """Return the result in the format that the client prefers."""
    if not wants_json(request):
        return _response(TEXT, _text(result.lines), result.status, result.headers)
    headers = {**result.headers, **result.json_headers}
    if result.problem:
        body = _problem(result.status, result.problem, result.lines[0]) | dict(result.facts)
        return _response(PROBLEM, _json(body), result.status, headers)
    return _response(JSON, _json(result.facts), result.json_status, headers)


def error_response(request: HttpRequest, error: ApiError, allow: str = "") -> HttpResponse:
    """Return ``ERROR code: text``, or the same as an RFC 9457 problem."""
    headers = _headers(error, allow)
    if wants_json(request):
        body = _json(_problem(error.status, error.code, error.text))
        return _response(PROBLEM, body, error.status, headers)
    text = _text((f"ERROR {error.code}: {error.text}",))
    return _response(TEXT, text, error.status, headers)


def wants_json(request: HttpRequest) -> bool:
    """Return whether the client prefers JSON to plain text."""
    return request.get_preferred_type(["text/plain", JSON, PROBLEM]) in {JSON, PROBLEM}


def _headers(error: ApiError, allow: str) -> dict[str, str]:
    headers = {}
    if error.retry_after:
        headers["Retry-After"] = str(error.retry_after)
    if error.status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = allow
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = BEARER if error.code == "token_failed" else BASIC
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
