"""``rollbook admin``: the operators' pages, on this machine alone and as long as the command runs."""

import os
from argparse import Namespace

from django.conf import settings

from rollbook.cli.errors import OK, CommandError
from rollbook.doors.admin.entering import door
from rollbook.engine import sessions
from rollbook.server import tls
from rollbook.server.listening import CannotListen, listen
from rollbook.server.web import LISTENER, Address, run_web

HOST = "localhost"


def admin(arguments: Namespace) -> int:
    """Serve until told to stop; the secret on stdout lets one browser in, once."""
    try:
        listener = listen(Address(HOST, arguments.port))
    except CannotListen as problem:
        raise CommandError("cannot_start", str(problem)) from None
    address = Address(HOST, listener.getsockname()[1])
    os.environ[LISTENER] = str(listener.detach())  # the server closes it
    certificate = tls.certificate(settings.DATA, HOST)
    print(f"The operators' pages are at https://{address}/ until this command ends.")
    print(f"Enter with this secret, which is good once: {door.lock()}", flush=True)
    sessions.of_a_web_server()
    run_web(address, certificate)
    return OK
