"""What is refused with reasons, for whoever asked for it to mend."""


class Refused(Exception):
    """Nothing has changed; ``reasons`` say why, one sentence each, without its capital and full stop."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons
