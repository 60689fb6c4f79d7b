"""Errors of validation that are shown to the person who made the request."""


class ValidationFailed(Exception):
    """A request was rejected, and nothing was changed.

    Attributes:
        reasons: What is wrong and how to fix it, a sentence each, without its capital and period.
    """

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


def name_problems(what: str, name: str, max_length: int) -> list[str]:
    """Return why this can't be a name; an empty list if it can.

    Names are used in email headers and log lines, so they must not contain line breaks.

    Args:
        what: What is named, such as ``district name``.
        name: The name to check.
        max_length: The maximum number of characters.
    """
    if 0 < len(name) <= max_length and name.isprintable():
        return []
    return [f"the {what} is missing, longer than {max_length} characters, or not on one line"]
