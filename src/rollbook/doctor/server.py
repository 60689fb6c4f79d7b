"""Whether the server runs, answers, and has the settings that this command was given."""

from collections.abc import Iterator

from rollbook.doctor.environment import Variables
from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult, error, ok, warning
from rollbook.doctor.server_process import Server
from rollbook.environment import BEHIND_PROXY, DATA
from rollbook.server.gunicorn_app import Address
from rollbook.server.readiness import is_ready

_ITS_OWN = {DATA.name, BEHIND_PROXY.name}


def check(here: Installation) -> Iterator[CheckResult]:
    """The `rollbook serve` of this data folder."""
    server = here.server
    if server is None:
        yield _nobody(here)
        return
    problems = [*_answering(server, here), *_other_settings(server, here)]
    yield from problems
    if not problems:
        yield ok(f"`rollbook serve` runs (process {server.pid or 'unknown'})" + _where(server))


def _nobody(here: Installation) -> CheckResult:
    if here.settings and here.settings.ON_POSTGRESQL:
        return ok("no `rollbook serve` runs on this data folder; web and worker may run elsewhere")
    return warning("no `rollbook serve` runs on this data folder", "start it")


def _where(server: Server) -> str:
    return f" and answers at port {server.said.port}" if server.said and server.said.port else ""


def _answering(server: Server, here: Installation) -> Iterator[CheckResult]:
    if server.said is None or not server.said.port:
        return
    address = Address(server.said.host, server.said.port)
    if not is_ready(address, behind_proxy=server.behind_proxy):
        yield error(
            f"`rollbook serve` runs (process {server.pid}), but does not answer OK at {address}/healthz",
            "see its log, and what else is wrong here; then start it again",
        )


def _other_settings(server: Server, here: Installation) -> Iterator[CheckResult]:
    """At three in the morning a shell has not what the system gives to its services."""
    if server.environment is None:
        return
    its, ours = Variables(server.environment), here.variables
    unknown = its.wrong | ours.wrong | _ITS_OWN
    differ = sorted(
        name
        for name in {*its.values, *ours.values} - unknown
        if its.values.get(name) != ours.values.get(name)
    )
    if differ:
        yield warning(
            f"the server was started with another {', '.join(differ)} than this command has, which looks at its own",
            "give this command the server's environment; or, if this one is right, start the server again with it",
        )
