"""Turn the reasons for which an operation can't be done into errors of the command."""

from collections.abc import Iterator
from contextlib import contextmanager

from rollbook.cli.errors import CommandError
from rollbook.operations.problem import OperationProblem


@contextmanager
def reporting_operation_problems() -> Iterator[None]:
    """Turn such a reason, whose text says how to fix it, into a CommandError."""
    try:
        yield
    except OperationProblem as problem:
        raise CommandError(problem.code, str(problem)) from None
