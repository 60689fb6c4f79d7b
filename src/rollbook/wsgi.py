"""The WSGI application, for the built-in server or any other."""

import os
from typing import Any

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest

from rollbook import error_reports
from rollbook.secret_keys import load_or_create_key

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
error_reports.start(settings.SENTRY_DSN)
# If the key can't be created or read, the start must fail, not the first sign-in.
load_or_create_key(settings.KEYS, "session")
application = Application()
