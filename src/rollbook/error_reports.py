"""Report errors in Rollbook to Sentry if SENTRY_DSN is set; nothing personal is sent.

An event is not scrubbed but made anew, from the few fields that can't contain values of a student,
a person or a request. So a field that a newer version of the package adds is not sent either.
"""

from collections.abc import Mapping
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

PACKAGE = "sentry_sdk"

_PLAIN_FIELDS = ("event_id", "timestamp", "level", "logger", "platform", "release")
_FRAME_FIELDS = ("filename", "function", "module", "lineno", "in_app")


class PackageMissing(Exception):
    """SENTRY_DSN is set, but the package is not installed; the text says how to fix it."""


def require_package(dsn: str) -> None:
    """Check that errors can be reported, if they are to be.

    Raises:
        PackageMissing: The package is not installed.
    """
    if dsn and find_spec(PACKAGE) is None:
        raise PackageMissing(
            "SENTRY_DSN is set, but the package sentry-sdk is not installed; install it with "
            "`pip install 'rollbook[sentry]'`, or remove SENTRY_DSN"
        )


def start(dsn: str, **options: Any) -> None:
    """Report errors of this process from now on; do nothing without a DSN.

    Args:
        dsn: The address of the project at Sentry, which includes its key.
        **options: More options of ``sentry_sdk.init``; tests set the transport.

    Raises:
        PackageMissing: The package is not installed.
    """
    if not dsn:
        return
    require_package(dsn)
    import sentry_sdk  # an optional dependency
    from sentry_sdk.integrations.django import DjangoIntegration

    sentry_sdk.init(
        dsn,
        release=f"rollbook@{version('rollbook')}",
        auto_enabling_integrations=False,
        integrations=[DjangoIntegration()],
        send_default_pii=False,
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        propagate_traces=False,
        trace_propagation_targets=[],
        auto_session_tracking=False,
        send_client_reports=False,
        server_name="",
        before_send=without_values,
        before_send_transaction=lambda event, hint: None,
        before_breadcrumb=lambda crumb, hint: None,
        **options,
    )


def without_values(event: Any, hint: object) -> Any:
    """Return a new event with what is known to contain no values.

    Args:
        event: The event as Sentry has collected it.
        hint: What it was collected from; not used.
    """
    kept: dict[str, Any] = {name: event[name] for name in _PLAIN_FIELDS if name in event}
    # The text of our log calls as it is in the code, without the values for its placeholders.
    message = (event.get("logentry") or {}).get("message")
    if message and str(event.get("logger")).startswith("rollbook."):
        kept["logentry"] = {"message": message}
    exceptions = (event.get("exception") or {}).get("values") or []
    if exceptions:
        kept["exception"] = {"values": list(map(_without_value, exceptions))}
    return kept


def _without_value(exception: Mapping[str, Any]) -> dict[str, Any]:
    """Return the type of an exception and where it was raised, without its text."""
    frames = (exception.get("stacktrace") or {}).get("frames") or []
    return {
        "type": exception.get("type"),
        "module": exception.get("module"),
        "stacktrace": {"frames": list(map(_location, frames))},
    }


def _location(frame: Mapping[str, Any]) -> dict[str, Any]:
    return {name: frame[name] for name in _FRAME_FIELDS if name in frame}
