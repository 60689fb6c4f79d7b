"""The error of an operation."""


class OperationProblem(Exception):
    """An operation can't be done for a reason that the operator can act on.

    Args:
        code: Identifies the problem for scripts.
        text: What is wrong, where, and what to do about it.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
