"""Run every test on both databases.

    python -m tests [--on DATABASE] [--nightly] [--after-make-test] [pytest's own arguments]

The two runs take place side by side. Tests that never ask the database run on SQLite alone;
conftest.py deselects them on PostgreSQL, and unless a path is named, on both databases the tests
that are not among the samples of the day. With ``--nightly`` nothing is sampled, with
``--after-make-test`` the tests that ``make test`` has run are left out, and with ``--on`` there is
one run, to which pytest gives the whole terminal.

SQLite needs nothing. For PostgreSQL a server is started for this run alone. Pages are opened in
Chromium, which is installed if that is allowed. Without PostgreSQL or Chromium nothing is tested,
and the exit code is 1. DATABASE_URL is ignored. Each line names its database, and failures are
repeated at the end.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests import depth
from tests.browser import chromium
from tests.postgres import PostgresProblem, binaries
from tests.postgres.looking import ask
from tests.postgres.server import OWNER, running_server

ROOT = Path(__file__).parents[1]
DATABASES = ("sqlite", "postgresql")

NOT_INHERITED = ("DATABASE_URL", "TESTS_DATABASE_URL", "TESTS_SHARED", depth.SAMPLED_VARIABLE)

# Many tests wait for a server, so four processes keep two cores busy. A file stays with one
# process, as does the server that its tests share.
PROCESSES = {"sqlite": 2, "postgresql": 2}

NOT_IN_MAKE_TEST = ("-m", "process or browser")
"""Selects the tests that ``make test`` leaves out."""

PREFIX = "{database:>10} | "
NOTHING_TO_TEST = 5  # what pytest ends with then
SUMMARY = " short test summary info "
"""Of pytest's report, the line before the list of what failed."""


@dataclass
class Run:
    """A run of pytest; each line of its output is printed with the name of the database."""

    database: str
    process: "subprocess.Popen[str]"
    lines: list[str] = field(default_factory=list)

    def print_output(self) -> None:
        """Print each line as it comes, until the run has ended."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line)
            self._print(line)

    def sum_up(self) -> None:
        """Print once more what failed, and the counts."""
        headings = [number for number, line in enumerate(self.lines) if SUMMARY in line]
        for line in self.lines[headings[-1] + 1 if headings else -1 :]:
            self._print(line)

    def _print(self, line: str) -> None:
        sys.stdout.write(PREFIX.format(database=self.database) + line)
        sys.stdout.flush()


def main(words: Sequence[str]) -> int:
    """Test on the databases that are asked for; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests", allow_abbrev=False, description="Test on both databases."
    )
    parser.add_argument("--on", choices=DATABASES, help="test on this one alone")
    parser.add_argument("--nightly", action="store_true", help="test at full depth")
    parser.add_argument(
        "--after-make-test", action="store_true", help="leave out what `make test` has run"
    )
    asked, for_pytest = parser.parse_known_args(words)
    if asked.nightly:
        os.environ[depth.NIGHTLY_VARIABLE] = "1"
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        if _opens_pages(for_pytest):
            chromium.find_or_install()
    except chromium.BrowserProblem as problem:
        print(f"ERROR no_browser: {problem}", file=sys.stderr)
        return 1
    if asked.on == "sqlite":
        return _alone("sqlite", for_pytest, "")
    try:
        with _postgresql() as url:
            return (
                _alone("postgresql", for_pytest, url)
                if asked.on
                else _side_by_side(for_pytest, url, after_make_test=asked.after_make_test)
            )
    except PostgresProblem as problem:
        print(
            f"ERROR no_postgresql: {problem}; or test on SQLite alone, with --on sqlite",
            file=sys.stderr,
        )
        return 1


def _opens_pages(words: Sequence[str]) -> bool:
    """Whether tests in a browser are among those that are asked for."""
    named = _named(words)
    pages = ROOT / "tests" / "browser"
    return not named or any(
        pages.is_relative_to(path) or path.is_relative_to(pages) for path in named
    )


def _named(words: Sequence[str]) -> list[Path]:
    """Return the files and folders of tests that are asked for."""
    return [path for word in words if (path := Path(word.partition("::")[0]).absolute()).exists()]


@contextmanager
def _postgresql() -> Iterator[str]:
    """Yield the address of a database on a new server, which listens on a port."""
    with running_server(tcp=True, ordered=True) as server:
        server.create_database(OWNER)
        url = server.url(OWNER, port=server.port)
        order = "people do" if ask(url, "SELECT 'a' < 'B'") else "their bytes are"
        version = binaries.version(server.binaries)
        print(
            f"PostgreSQL {version} of {server.binaries}, which orders texts as {order}", flush=True
        )
        yield url


def _alone(database: str, words: Sequence[str], url: str) -> int:
    return subprocess.run(
        _command(database, words), env=_environment(url), cwd=ROOT, check=False
    ).returncode


def _side_by_side(words: Sequence[str], url: str, *, after_make_test: bool) -> int:
    """Test on both databases at the same time: while tests of one wait, those of the other work."""
    runs: list[Run] = []
    with ThreadPoolExecutor(len(DATABASES)) as pool:
        try:
            rest = NOT_IN_MAKE_TEST if after_make_test else ()
            sampled = {} if _named(words) else {depth.SAMPLED_VARIABLE: "1"}
            runs.append(_begun("sqlite", [*rest, *words], _environment("") | sampled))
            runs.append(_begun("postgresql", words, _environment(url) | sampled))
            list(pool.map(Run.print_output, runs))
            codes = [run.process.wait() for run in runs]
        finally:
            _end(runs)  # before the pool waits for the end of their output
    for run in runs:
        run.sum_up()
    return code_of(codes)


def code_of(codes: Sequence[int]) -> int:
    """Return the exit code of the first run that failed; having nothing to test is no failure."""
    failures = [code for code in codes if code not in (0, NOTHING_TO_TEST)]
    return failures[0] if failures else min(codes)


def _begun(database: str, words: Sequence[str], environment: Mapping[str, str]) -> Run:
    columns = shutil.get_terminal_size().columns - len(PREFIX.format(database=database))
    colors = ["--color=yes"] if sys.stdout.isatty() else []
    process = subprocess.Popen(
        [*_command(database, [*_spread(database), *words]), *colors],
        env={**environment, "COLUMNS": str(columns)},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    return Run(database, process)


def _command(database: str, words: Sequence[str]) -> list[str]:
    """Each run remembers for itself what failed."""
    return [sys.executable, "-m", "pytest", "-o", f"cache_dir=.pytest_cache/{database}", *words]


def _spread(database: str) -> list[str]:
    return ["-n", str(PROCESSES[database]), "--dist", "loadfile", "--no-loadscope-reorder"]


def _environment(url: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
    return kept | ({"DATABASE_URL": url} if url else {})


def _end(runs: Sequence[Run]) -> None:
    """As Ctrl-C would, which lets each test clean up what it has begun."""
    for run in runs:
        if run.process.poll() is None:
            run.process.send_signal(signal.SIGINT)
    for run in runs:
        run.process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
