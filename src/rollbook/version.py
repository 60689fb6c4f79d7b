"""The version of Rollbook that is installed."""

from importlib.metadata import version

VERSION = version("rollbook")
COMMIT = ""
"""The commit it was built from; empty if that is unknown."""


def describe() -> str:
    """Return the version, and the beginning of the commit if it is known."""
    return f"{VERSION} ({COMMIT[:12]})" if COMMIT else VERSION
