"""The health check ``/healthz`` for monitors, load balancers and the supervisor."""

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
class HealthProblem:
    """A problem with a description that anyone may read."""

    code: str
    detail: str


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Respond with 200 ``OK`` if database and worker are available, else 503 and their problems."""
    problems = list(_problems())
    status = 503 if problems else 200
    if request.get_preferred_type(["text/plain", "application/json"]) == "application/json":
        body = {"healthy": not problems, "faults": [asdict(problem) for problem in problems]}
        return JsonResponse(body, status=status)
    lines = [f"ERROR {problem.code}: {problem.detail}" for problem in problems] or ["OK"]
    return HttpResponse(
        "\n".join((*lines, "")), status=status, content_type="text/plain; charset=utf-8"
    )


def _problems() -> Iterator[HealthProblem]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        yield from _worker_problems()
    except Error:
        log.exception("the database is not responding")
        yield HealthProblem("database", "the database is not responding; see the server log")


def _worker_problems() -> Iterator[HealthProblem]:
    worker = worker_status()
    if not worker.alive:
        last_seen = f"{worker.at.astimezone(UTC):%H:%M:%S} UTC" if worker.at else "the start"
        yield HealthProblem("worker", f"no worker has been seen since {last_seen}")
