"""The WSGI application, for the built-in server or any other."""

import os
from typing import Any

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.db import Error

from rollbook import error_reports

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.settings")


class Request(WSGIRequest):
    """A request that treats a malformed Content-Type as none, so that views reject it."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            super()._set_content_type_params(meta)  # type: ignore[misc]
        except ValueError:
            self.content_type, self.content_params = "", {}


class Application(WSGIHandler):
    """Django's WSGI handler with our request class."""

    request_class = Request


django.setup(set_prefix=False)
from rollbook.accounts import key_ring  # noqa: E402 - it imports models

error_reports.start(settings.SENTRY_DSN)
# If the key can't be created or read, the start must fail, not the first sign-in.
try:
    key_ring.ring(key_ring.SESSION)
except Error:  # without a database, the health check must still answer
    str(settings.SECRET_KEY)
application = Application()
