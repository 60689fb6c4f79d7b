"""Rollbook as a WSGI application, for our own web server and for any other."""

import os
from typing import Any

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest

from rollbook.secret_keys import secret

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.settings")


class Request(WSGIRequest):
    """A request whose Content-Type nobody can read has none, and is refused like any other that is no form."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            super()._set_content_type_params(meta)  # type: ignore[misc]
        except ValueError:
            self.content_type, self.content_params = "", {}


class Application(WSGIHandler):
    """Django's, with our requests."""

    request_class = Request


django.setup(set_prefix=False)
secret(
    settings.KEYS, "session"
)  # a key that cannot be created or read must fail here, and not a member's sign-in
application = Application()
