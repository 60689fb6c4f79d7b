"""Report what each test costs: ``pytest --cpu 20`` lists the 20 most expensive tests and files.

CPU seconds vary less than wall time on a busy machine. Counted are pytest's own process, all
processes that it or a test started, and on PostgreSQL the server. A fixture belongs to the test
that asks for it first. What the server does for several processes of pytest at once is counted for
each of them, so on PostgreSQL the report is exact without ``-n`` only. Not counted is a process
whose parent is killed before the test's call ends.
"""

import os
from collections import defaultdict
from collections.abc import Generator
from operator import itemgetter
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

OPTION = "--cpu"
PROPERTY = "cpu_s"
BEFORE = pytest.StashKey[float]()
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def add_option(parser: pytest.Parser) -> None:
    """Add ``--cpu`` to pytest's options."""
    parser.addoption(
        OPTION,
        type=int,
        default=0,
        metavar="COUNT",
        help="list so many tests and files that cost the most CPU seconds",
    )


def configure(config: pytest.Config) -> None:
    """Measure, if asked to."""
    if count := config.getoption(OPTION):
        config.pluginmanager.register(CpuReport(count))


class CpuReport:
    """Measures each test, and in the process that prints the summary, adds up what was measured."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._tests: defaultdict[str, float] = defaultdict(float)
        self._server: int | None = None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Remember the sum at the beginning."""
        if self._server is None:
            self._server = _server()
        item.stash[BEFORE] = used_cpu_s(os.getpid(), self._server)
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Give each phase's report the CPU seconds since the phase before."""
        report = yield
        assert self._server is not None
        now = used_cpu_s(os.getpid(), self._server)
        report.user_properties.append((PROPERTY, max(0.0, now - item.stash[BEFORE])))
        item.stash[BEFORE] = now
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up what the processes of pytest have measured."""
        measured = [value for name, value in report.user_properties if name == PROPERTY]
        self._tests[report.nodeid] += sum(value for value in measured if isinstance(value, float))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the lists."""
        files: defaultdict[str, float] = defaultdict(float)
        for test, cpu_s in self._tests.items():
            files[test.partition("::")[0]] += cpu_s
        for title, costs in (("tests", self._tests), ("files", files)):
            terminalreporter.section(f"CPU seconds of {title}: {sum(costs.values()):.1f} in all")
            dearest = sorted(costs.items(), key=itemgetter(1), reverse=True)
            for name, cpu_s in dearest[: self._count]:
                terminalreporter.write_line(f"{cpu_s:8.1f}  {name}")


def used_cpu_s(*roots: int) -> float:
    """Return the CPU seconds of these processes and their descendants, ended ones included."""
    ticks: dict[int, int] = {}
    children: defaultdict[int, list[int]] = defaultdict(list)
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:  # it has just ended
            continue
        words = text.rpartition(")")[2].split()
        children[int(words[1])].append(int(folder.name))
        ticks[int(folder.name)] = sum(map(int, words[11:15]))
    found = set(roots) & ticks.keys()
    waiting = list(found)
    while waiting:
        below = children[waiting.pop()]
        waiting += below
        found.update(below)
    return sum(ticks[pid] for pid in found) / TICKS_PER_S


def _server() -> int:
    """Return the process of the PostgreSQL server; 0 on SQLite or if it is on another machine."""
    if not settings.ON_POSTGRESQL:
        return 0
    with psycopg.connect(settings.DATABASE_URL) as connection:
        backend = Path("/proc", str(connection.info.backend_pid), "stat")
        if not backend.exists():
            return 0
        return int(backend.read_text(encoding="utf-8").rpartition(")")[2].split()[1])
