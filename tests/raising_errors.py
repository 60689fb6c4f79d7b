"""A process that fails in every way with a secret in each value, and prints what Sentry gets."""

import json
import logging
import sys
import threading

import django

django.setup()

from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.test import Client, override_settings  # noqa: E402
from django.urls import path  # noqa: E402
from sentry_sdk.envelope import Envelope  # noqa: E402
from sentry_sdk.transport import Transport  # noqa: E402

from rollbook import error_reports  # noqa: E402

SECRET = sys.argv[1]


class Recorder(Transport):
    """Keeps what would be sent over the network."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.sent.append(envelope.serialize().decode())


def fail(request: HttpRequest, name: str) -> HttpResponse:
    grade = request.POST.get("name", "")
    raise ValueError(f"{name} {grade} is not a grade")


urlpatterns = [path("students/<str:name>", fail)]


def raise_in_thread() -> None:
    student = SECRET
    raise LookupError(student)


def main() -> None:
    recorder = Recorder()
    error_reports.start("https://key@sentry.example/1", transport=recorder)
    log = logging.getLogger("rollbook.test")
    log.warning("a note about %s", SECRET)
    log.error("the row of %s failed", SECRET, extra={"row": SECRET})
    logging.getLogger("another.library").error(f"{SECRET} failed")
    try:
        raise KeyError(SECRET) from ValueError(SECRET)
    except KeyError:
        log.exception("a step with key %s failed", SECRET)
    thread = threading.Thread(target=raise_in_thread, name=SECRET)
    thread.start()
    thread.join()
    headers = {"authorization": SECRET, "host": "localhost"}
    client = Client(raise_request_exception=False, headers=headers)
    client.cookies["session"] = SECRET
    with override_settings(ROOT_URLCONF=__name__):
        client.post(
            f"/students/{SECRET}?login={SECRET}",
            {"name": SECRET},
            headers={"user-agent": SECRET, "x-forwarded-for": SECRET, "x-forwarded-proto": "https"},
        )
    print(json.dumps(recorder.sent))


if __name__ == "__main__":
    main()
