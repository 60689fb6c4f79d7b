"""``/healthz``: whether Rollbook does its work, for monitors, load balancers and its own supervisor."""

import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC

from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rollbook.updates.runner import worker_status

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, in words that anybody may read."""

    code: str
    detail: str


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200 and ``OK`` while database and worker are alive, else 503 and a line for each thing that is wrong."""
    faults = list(_faults())
    status = 503 if faults else 200
    if request.get_preferred_type(["text/plain", "application/json"]) == "application/json":
        return JsonResponse(
            {"healthy": not faults, "faults": [asdict(fault) for fault in faults]}, status=status
        )
    lines = [f"ERROR {fault.code}: {fault.detail}" for fault in faults] or ["OK"]
    return HttpResponse(
        "\n".join((*lines, "")), status=status, content_type="text/plain; charset=utf-8"
    )


def _faults() -> Iterator[Fault]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        yield from _of_the_worker()
    except Error:
        log.exception("the database does not answer")
        yield Fault("database", "the database does not answer; the server's log says why")


def _of_the_worker() -> Iterator[Fault]:
    seen = worker_status()
    if not seen.alive:
        since = f"since {seen.at.astimezone(UTC):%H:%M:%S} UTC" if seen.at else "since the start"
        yield Fault("worker", f"no worker has been seen {since}")
