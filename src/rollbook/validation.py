"""What is refused with reasons, for whoever asked for it to mend."""


class ValidationFailed(Exception):
    """Nothing has changed; ``reasons`` say why, one sentence each, without its capital and full stop."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


def name_problems(what: str, name: str, longest: int) -> list[str]:
    """Why this cannot be a name: names go into mail headers and log lines, so they have no line breaks."""
    if 0 < len(name) <= longest and name.isprintable():
        return []
    return [f"the {what} is missing, longer than {longest} characters, or not on one line"]
