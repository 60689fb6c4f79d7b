"""What the exit codes of each command mean, for its help."""

from argparse import ArgumentParser
from collections.abc import Mapping

from rollbook.cli.errors import (
    FAILED,
    INTERRUPTED,
    NEWER_DATABASE,
    OK,
    SOME_REJECTED,
    USAGE,
)
from rollbook.cli.registration import Bootstrap

_ALL: Mapping[int, str] = {
    OK: "success",
    FAILED: "failed; the line on stderr that starts with ERROR, or the result, says why",
    USAGE: "usage error; nothing was done",
    NEWER_DATABASE: "a newer version of Rollbook has migrated the database; install that version",
    INTERRUPTED: "interrupted with Ctrl-C",
}
_UPDATE: Mapping[int, str] = {
    OK: "the update has completed, and no row was rejected",
    FAILED: "the update was refused, canceled or held, or has failed; or another error",
    SOME_REJECTED: "the update has completed, but some rows were rejected",
}
_STARTED: Mapping[int, str] = {
    OK: "the update was started; with --watch, it has completed, and no row was rejected",
    FAILED: "the file can't be used, or another error; with --watch, the update hasn't completed",
    SOME_REJECTED: "with --watch: the update has completed, but some rows were rejected",
}
_NOTHING_DONE: Mapping[int, str] = {
    FAILED: "the file has problems, which are printed, and nothing was done; or another error"
}
_SERVER: Mapping[int, str] = {OK: "stopped with SIGTERM or Ctrl-C"}

MEANINGS: Mapping[str, Mapping[int, str]] = {
    "serve": _SERVER,
    "web": _SERVER,
    "worker": _SERVER,
    "apply": _NOTHING_DONE,
    "school load": _NOTHING_DONE,
    "student load": _UPDATE,
    "update watch": _UPDATE,
    "update start": _STARTED,
    "update retry": _STARTED,
    "update undo": {
        OK: "the update was started; with --watch, every student can be set back",
        FAILED: "the update can't be undone, or another error",
        SOME_REJECTED: "with --watch: some students can't be set back",
    },
    "student check": {
        OK: "the file was checked, and no row would be rejected",
        FAILED: "the file can't be used, or another error",
        SOME_REJECTED: "the file was checked, and some rows would be rejected",
    },
    "file check": {
        OK: "no row would be rejected",
        FAILED: "the file can't be used, or another error",
        SOME_REJECTED: "some rows would be rejected",
    },
    "audit check": {
        OK: "the audit log is intact",
        FAILED: "the audit log was changed outside Rollbook, or another error",
    },
    "certificate verify": {
        OK: "the certificate is valid, and about this student if one was named",
        FAILED: "the certificate isn't valid or is about someone else, or another error",
    },
    "retention show": {
        OK: "retention is running",
        FAILED: "retention is stopped, or another error",
    },
    "doctor": {OK: "no errors, perhaps warnings", FAILED: "at least one error"},
}
"""The words of a command to what its exit codes mean, where that is more than ``_ALL`` says."""


def describe(command: ArgumentParser) -> str:
    """Return the exit codes of a command, a line each below a heading."""
    meanings = {**_ALL, **MEANINGS.get(command.prog.partition(" ")[2], {})}
    if command.get_default("bootstrap") is Bootstrap.NONE:
        del meanings[NEWER_DATABASE]
    lines = (f"  {code:<5}{meaning}" for code, meaning in sorted(meanings.items()))
    return "\n".join(("exit codes:", *lines, ""))
