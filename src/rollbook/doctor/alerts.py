"""Checks that the operator is alerted if something goes wrong."""

from collections.abc import Iterator

from django.conf import settings

from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult, ok, warning
from rollbook.text import count_of


def check(installation: Installation) -> Iterator[CheckResult]:
    """Check that there is an address or a ping URL."""
    channels = []
    if settings.OPERATOR_EMAIL:
        channels.append(count_of(len(settings.OPERATOR_EMAIL), "operator"))
    if settings.PING_URL:
        channels.append("the ping URL")
    if channels:
        yield ok(f"sent to {' and '.join(channels)}; `rollbook alert test` tests them")
    else:
        yield warning(
            "nobody is alerted if something goes wrong here",
            "set ROLLBOOK_OPERATOR_EMAIL or ROLLBOOK_PING_URL, then run `rollbook alert test`",
        )
