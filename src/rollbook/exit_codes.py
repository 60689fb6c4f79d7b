"""The exit codes of the ``rollbook`` command."""

OK = 0
FAILED = 1
USAGE = 2
SOME_REJECTED = 3
NEWER_DATABASE = 4
INTERRUPTED = 130
