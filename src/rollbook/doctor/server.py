"""Checks that the server is running and responding, with the same settings as this command."""

from collections.abc import Iterator

from rollbook.doctor.environment import Variables
from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult, error, ok, warning
from rollbook.doctor.server_process import Server
from rollbook.environment import BEHIND_PROXY, DATA
from rollbook.server.gunicorn_app import Address, UnixSocket
from rollbook.server.readiness import is_ready

_SET_BY_SERVE = {DATA.name, BEHIND_PROXY.name}


def check(installation: Installation) -> Iterator[CheckResult]:
    """Check the `rollbook serve` of this data folder."""
    server = installation.server
    if server is None:
        yield _not_running(installation)
        return
    problems = [*_responding(server, installation), *_other_settings(server, installation)]
    yield from problems
    if not problems:
        yield ok(
            f"`rollbook serve` is running (process {server.pid or 'unknown'})" + _where(server)
        )


def _not_running(installation: Installation) -> CheckResult:
    if installation.settings and installation.settings.ON_POSTGRESQL:
        return ok(
            "no `rollbook serve` is running on this data folder; "
            "web and worker may run on other machines"
        )
    return warning("no `rollbook serve` is running on this data folder", "start it")


def _where(server: Server) -> str:
    if server.socket:
        return f" and responds on {server.socket}"
    if server.options and server.options.port:
        return f" and responds on port {server.options.port}"
    return ""


def _responding(server: Server, installation: Installation) -> Iterator[CheckResult]:
    if server.options is None or not (server.socket or server.options.port):
        return
    address = Address(server.options.host, server.options.port)
    endpoint = UnixSocket(server.socket) if server.socket else address
    if not is_ready(endpoint, behind_proxy=server.behind_proxy):
        yield error(
            f"`rollbook serve` is running (process {server.pid}), "
            f"but {endpoint}/healthz does not return OK",
            "see its log and the other problems reported here, then restart it",
        )


def _other_settings(server: Server, installation: Installation) -> Iterator[CheckResult]:
    """Compare the settings: a shell often lacks variables that the service manager sets."""
    if server.environment is None:
        return
    server_variables, ours = Variables(server.environment), installation.variables
    ignored = server_variables.wrong | ours.wrong | _SET_BY_SERVE
    differ = sorted(
        name
        for name in {*server_variables.values, *ours.values} - ignored
        if server_variables.values.get(name) != ours.values.get(name)
    )
    if differ:
        yield warning(
            f"the server uses a different {', '.join(differ)} than this command, "
            "which checks its own values",
            "run this command in the server's environment; "
            "or, if this one is right, restart the server with it",
        )
