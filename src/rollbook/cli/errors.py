"""The error that a command reports, and the exit codes."""

from rollbook.exit_codes import (
    FAILED,
    INTERRUPTED,
    NEWER_DATABASE,
    OK,
    SOME_REJECTED,
    USAGE,
)

__all__ = [
    "FAILED",
    "INTERRUPTED",
    "NEWER_DATABASE",
    "OK",
    "SOME_REJECTED",
    "USAGE",
    "CommandError",
    "Interrupted",
]


class CommandError(Exception):
    """A command failed for a reason that the operator can act on.

    Args:
        code: Identifies the error for scripts.
        text: What happened, where, and what to do about it.
        exit_code: The exit code of the command.
    """

    def __init__(self, code: str, text: str, exit_code: int = FAILED) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.exit_code = exit_code

    def __str__(self) -> str:
        """Return the line that goes to stderr."""
        return f"ERROR {self.code}: {self.text}"

    def to_json(self) -> dict[str, object]:
        """Return what is printed with ``--json``."""
        return {"code": self.code, "message": self.text, "exit_code": self.exit_code}


class Interrupted(CommandError):
    """The command was ended with Ctrl-C."""

    def __init__(self) -> None:
        super().__init__("interrupted", "interrupted", INTERRUPTED)

    def __str__(self) -> str:
        """Return the line that goes to stderr."""
        return self.text
