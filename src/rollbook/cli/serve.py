"""``rollbook serve``, and the two processes it starts: ``web`` and ``worker``."""

import signal
import threading
from argparse import Namespace

from django.conf import settings

from rollbook.cli.failures import DONE, USAGE, Failure
from rollbook.engine.loop import work
from rollbook.server import lifeline, supervise, tls
from rollbook.server.web import Address, run_web


def serve(arguments: Namespace) -> int:
    """Web and worker together, until told to stop."""
    return supervise.serve(
        settings.DATA,
        Address(arguments.host, arguments.port),
        certificate=arguments.cert,
        key=arguments.key,
        behind_proxy=settings.BEHIND_PROXY,
    )


def web(arguments: Namespace) -> int:
    """The web server alone."""
    certificate = None if settings.BEHIND_PROXY else _certificate(arguments)
    run_web(Address(arguments.host, arguments.port), certificate, behind_proxy=settings.BEHIND_PROXY)
    return DONE


def _certificate(arguments: Namespace) -> tls.Certificate:
    if not (arguments.cert and arguments.key):
        raise Failure("no_certificate", "give --cert and --key, or --behind-proxy; `rollbook serve` does", USAGE)
    try:
        return tls.given(arguments.cert, arguments.key)
    except tls.CertificateProblem as problem:
        raise Failure("cannot_start", str(problem)) from None


def worker(arguments: Namespace) -> int:
    """The worker alone: at the first signal it ends the step in hand, at the second it ends at once."""
    lifeline.watch()
    stop = threading.Event()

    def told(number: int, frame: object) -> None:
        stop.set()
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_DFL)

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, told)
    work(stop)
    return DONE
