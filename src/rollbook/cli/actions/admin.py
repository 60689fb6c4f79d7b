"""Runs ``rollbook admin``: serves the operators' pages on this machine only."""

import os
from argparse import Namespace

from django.conf import settings

from rollbook.cli.errors import OK, CommandError
from rollbook.db import connections
from rollbook.server import tls
from rollbook.server.gunicorn_app import LISTENER, THREADS, Address, run_web
from rollbook.server.listener import ListenError, listen
from rollbook.web.operators.one_time_login import one_time_login

HOST = "localhost"


def admin(arguments: Namespace) -> int:
    """Serve until stopped; the secret on stdout lets one browser sign in, once."""
    try:
        listener = listen(Address(HOST, arguments.port))
    except ListenError as error:
        raise CommandError("cannot_start", str(error)) from None
    address = Address(HOST, listener.getsockname()[1])
    os.environ[LISTENER] = str(listener.detach())  # the server closes it
    certificate = tls.local_certificate(settings.DATA)
    print(f"The operators' pages are at https://{address}/ until you stop this command.")
    print(
        f"Sign in with this secret, which works only once: {one_time_login.issue_secret()}",
        flush=True,
    )
    connections.configure_for_web(THREADS)
    run_web(address, certificate)
    return OK
