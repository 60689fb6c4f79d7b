"""Find the known name that a mistyped one most likely means."""

from collections.abc import Iterable


def edit_distance(a: str, b: str) -> int:
    """Return the number of edits that turn `a` into `b` (Damerau-Levenshtein).

    An edit inserts, removes or replaces a letter, or swaps two neighbors.
    """
    before_previous: list[int] = []
    previous = list(range(len(b) + 1))
    for row, letter in enumerate(a, start=1):
        current = [row]
        for column, other in enumerate(b, start=1):
            replaced = previous[column - 1] + (letter != other)
            distance = min(previous[column] + 1, current[-1] + 1, replaced)
            if row > 1 and column > 1 and letter == b[column - 2] and a[row - 2] == other:
                distance = min(distance, before_previous[column - 2] + 1)
            current.append(distance)
        before_previous, previous = previous, current
    return previous[-1]


def closest_match(name: str, known: Iterable[str], within: int = 2) -> str | None:
    """Return the known name with the smallest edit distance, or None.

    Args:
        name: The mistyped name.
        known: The names to choose from; the first one wins if several are equally close.
        within: The largest distance that is accepted.
    """
    similar = [other for other in known if abs(len(name) - len(other)) <= within]
    distances = ((edit_distance(name, other), other) for other in similar)
    distance, best = min(distances, key=lambda pair: pair[0], default=(within + 1, ""))
    return best if distance <= within else None
