"""What a subcommand says when it cannot do what it was asked to, and the codes it ends with."""

OK = 0
FAILED = 1
USAGE = 2
SOME_REJECTED = 3
INTERRUPTED = 130


class CommandError(Exception):
    """The thing could not be done. ``code`` is for scripts; ``text`` says what happened, where, and what to do next."""

    def __init__(self, code: str, text: str, exit_code: int = FAILED) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.exit_code = exit_code

    def __str__(self) -> str:
        return f"ERROR {self.code}: {self.text}"
