"""Registers ``rollbook serve`` and the two processes it consists of, ``web`` and ``worker``."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from rollbook.cli import argument_types
from rollbook.cli.registration import Bootstrap, Commands, add_command


def register(commands: Commands) -> None:
    """Register the three commands."""
    serve = add_command(
        commands,
        "serve",
        _run_serve,
        "Serve Rollbook over HTTPS and process updates.",
        "On first start, `serve` creates a self-signed certificate, certificate.pem in the data "
        "folder. Use --cert and --key for your own certificate, or --behind-proxy if a reverse "
        "proxy handles TLS.",
        "Prints one line when it is ready, then serves until it receives SIGTERM or Ctrl-C. A "
        "second signal stops it immediately. SIGHUP reloads the certificate from its files without "
        "dropping a connection.",
        bootstrap=Bootstrap.SETTINGS,
    )
    web = add_command(
        commands,
        "web",
        _run_web,
        "Run the web server only.",
        "`serve` starts its own web server. You can run more of them, on this or other machines, "
        "against one PostgreSQL database (DATABASE_URL). Each needs its own data folder with a "
        "copy of the first one's keys folder.",
        bootstrap=Bootstrap.SETTINGS,
    )
    for command in (serve, web):
        _add_web_options(command)
    _register_worker(commands)


def _add_web_options(command: ArgumentParser) -> None:
    command.add_argument(
        "--host", default="localhost", help="host name or address to listen on (default: localhost)"
    )
    command.add_argument(
        "--port",
        type=argument_types.port,
        default=8443,
        help="port to listen on (default: 8443; 0 picks a free port)",
    )
    command.add_argument(
        "--socket",
        type=Path,
        metavar="PATH",
        help="Unix socket to listen on instead, for a reverse proxy on this machine that runs "
        "with the same account or group; needs --behind-proxy",
    )
    command.add_argument(
        "--cert", type=Path, metavar="FILE", help="your certificate with its chain, in PEM format"
    )
    command.add_argument(
        "--key",
        type=Path,
        metavar="FILE",
        help="private key of the certificate, in PEM format without a passphrase",
    )
    command.add_argument(
        "--behind-proxy",
        action="store_true",
        help="serve plain HTTP, for a reverse proxy that handles TLS",
    )


def _register_worker(commands: Commands) -> None:
    worker = add_command(
        commands,
        "worker",
        _run_worker,
        "Run the worker only, which processes updates.",
        "`serve` starts its own worker. On PostgreSQL (DATABASE_URL) you can run any number of "
        "workers, on any machine. Each needs its own data folder with a copy of the first one's "
        "keys folder. On SQLite, one worker is active and any others wait to take over.",
        "On SIGTERM or Ctrl-C, the worker finishes its current step and leaves the rest to "
        "another worker. A second signal stops it immediately. If it is killed, no work is lost: "
        "another worker takes over within a minute.",
        bootstrap=Bootstrap.SETTINGS,
    )
    worker.add_argument(
        "--concurrency",
        type=argument_types.concurrency,
        metavar="N",
        default=1,
        help="updates of different districts to process at the same time, PostgreSQL only "
        "(default: 1; a higher number uses the time spent waiting for the database, but only "
        "more workers use more than one core)",
    )


def _run_serve(arguments: Namespace) -> int:
    from rollbook.cli.actions.serve import serve

    return serve(arguments)


def _run_web(arguments: Namespace) -> int:
    from rollbook.cli.actions.serve import web

    return web(arguments)


def _run_worker(arguments: Namespace) -> int:
    from rollbook.cli.actions.serve import worker

    return worker(arguments)
