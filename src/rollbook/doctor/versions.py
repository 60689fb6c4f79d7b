"""Reports the versions of Rollbook and what it depends on."""

import platform
import sqlite3
import ssl
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

import django

from rollbook import cookie_parser
from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult, error, ok, warning
from rollbook.version import describe

MIN_PYTHON = ("3", "11")
MIN_DJANGO = (5, 2)


def check(installation: Installation) -> Iterator[CheckResult]:
    """Report all versions in one line that can be pasted into a bug report."""
    versions = (
        f"rollbook {describe()}",
        f"Python {platform.python_version()}",
        f"Django {django.get_version()}",
        f"psycopg {_version_of('psycopg')}",
        f"SQLite {sqlite3.sqlite_version}",
        ssl.OPENSSL_VERSION.rpartition("  ")[0] or ssl.OPENSSL_VERSION,
        platform.platform(),
    )
    yield ok(", ".join(versions))
    python_version = tuple(map(int, platform.python_version_tuple()[:2]))
    if python_version < tuple(map(int, MIN_PYTHON)):
        yield error(
            f"Python {platform.python_version()} is too old",
            f"upgrade to {'.'.join(MIN_PYTHON)} or later",
        )
    if problem := cookie_parser.find_problem():
        yield warning(problem, cookie_parser.FIX)
    if django.VERSION[:2] != MIN_DJANGO:
        needed = ".".join(map(str, MIN_DJANGO))
        yield warning(
            f"Rollbook requires Django {needed}, and this is {django.get_version()}",
            "install Rollbook with its own requirements: `make setup`",
        )


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # only PostgreSQL needs it
        return "not installed"
