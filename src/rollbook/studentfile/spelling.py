"""Which known name a mistyped one most likely means: for header names, and for form fields at the doors."""

from collections.abc import Iterable


def edit_distance(a: str, b: str) -> int:
    """How many letters must be inserted, removed, replaced or swapped with their neighbour to turn `a` into `b`."""
    before: list[int] = []
    above = list(range(len(b) + 1))
    for row, letter in enumerate(a, start=1):
        current = [row]
        for column, other in enumerate(b, start=1):
            least = min(above[column] + 1, current[-1] + 1, above[column - 1] + (letter != other))
            if row > 1 and column > 1 and letter == b[column - 2] and a[row - 2] == other:
                least = min(least, before[column - 2] + 1)
            current.append(least)
        before, above = above, current
    return above[-1]


def closest_match(name: str, known: Iterable[str], within: int = 2) -> str | None:
    """The known name that is at most `within` letters away, the first one if several are equally near."""
    near = [
        (edit_distance(name, other), other)
        for other in known
        if abs(len(name) - len(other)) <= within
    ]
    distance, best = min(near, key=lambda pair: pair[0], default=(within + 1, ""))
    return best if distance <= within else None
