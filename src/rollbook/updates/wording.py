"""How figures are written wherever people read them: answers, mails, commands."""

from collections.abc import Sequence


def thousands(number: int) -> str:
    """4812 as 4,812."""
    return f"{number:,}"


def duration(seconds: float) -> str:
    """2.1 s, 48 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def line_list(lines: Sequence[int]) -> str:
    """Ascending lines with runs drawn together: 3, 17-19, 40."""
    runs: list[list[int]] = []
    for line in lines:
        if runs and line == runs[-1][1] + 1:
            runs[-1][1] = line
        else:
            runs.append([line, line])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
