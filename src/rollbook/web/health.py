"""The health checks ``/livez``, ``/readyz`` and ``/healthz``, which anyone may request.

They are for, in this order, the service manager that restarts a process, the load balancer that
chooses one, and people, monitors and the supervisor.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC

from django.db import Error
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rollbook import version
from rollbook.operations.monitoring import readiness
from rollbook.operations.monitoring.readiness import PROBLEMS, HealthProblem
from rollbook.updates.runner import worker_status

NOT_CHECKABLE = {"database", "slow"}
"""Problems with which nobody can find out whether there is a worker."""


@require_safe
@never_cache
def livez(request: HttpRequest) -> HttpResponse:
    """Respond with 200 ``OK`` as long as this process can respond."""
    return _respond(request, ())


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Respond with 200 ``OK`` if this process can take requests, else 503 and what is wrong."""
    return _respond(request, readiness.find_problems())


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Respond with 200 ``OK`` if it is ready and a worker is running, else 503; say the version."""
    problems = readiness.find_problems()
    if not NOT_CHECKABLE.intersection(problem.code for problem in problems):
        problems = [*problems, *_worker_problems()]
    return _respond(request, problems, version=version.describe())


def _respond(
    request: HttpRequest, problems: Sequence[HealthProblem], *, version: str = ""
) -> HttpResponse:
    status = 503 if problems else 200
    if request.get_preferred_type(["text/plain", "application/json"]) == "application/json":
        body = {"healthy": not problems, "faults": [asdict(problem) for problem in problems]}
        if version:
            body["version"] = version
        return JsonResponse(body, status=status)
    lines = [f"ERROR {problem.code}: {problem.detail}" for problem in problems] or ["OK"]
    if version:
        lines.append(f"Rollbook {version}")
    return HttpResponse(
        "\n".join((*lines, "")), status=status, content_type="text/plain; charset=utf-8"
    )


def _worker_problems() -> Iterator[HealthProblem]:
    try:
        worker = worker_status()
    except Error:
        yield HealthProblem("database", PROBLEMS["database"])
        return
    if not worker.alive:
        last_seen = f"{worker.at.astimezone(UTC):%H:%M:%S} UTC" if worker.at else "the start"
        yield HealthProblem("worker", f"no worker has been seen since {last_seen}")
