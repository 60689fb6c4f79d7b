"""Sets of students as one short text: the distances between their sorted primary keys.

``17,1,1,30`` is 17, 18, 19 and 49; a run of consecutive keys is one item, so that this is written
as ``17+2,30``. A page of 50 students takes about 200 characters, and the roster of a district that
was loaded from one file about ten. It is text so that backups, exports and seals need no rules of
their own for it.
"""

from collections.abc import Iterable, Iterator
from itertools import accumulate


def encode(keys: Iterable[int]) -> str:
    """Return the text of a set of positive keys; empty for the empty set."""
    items: list[str] = []
    previous = 0
    for first, last in _runs(sorted(set(keys))):
        run = f"+{last - first}" if last > first else ""
        items.append(f"{first - previous}{run}")
        previous = last
    return ",".join(items)


def decode(text: str) -> list[int]:
    """Return the keys of a set, sorted."""
    keys: list[int] = []
    for first, last in _parse(text):
        keys.extend(range(first, last + 1))
    return keys


def contains(text: str, key: int) -> bool:
    """Return whether a set has this key."""
    if text and "+" not in text:  # most sets are such, and this takes a fourth of the time
        return key in accumulate(map(int, text.split(",")))
    for first, last in _parse(text):
        if last >= key:
            return first <= key
    return False


def count(text: str) -> int:
    """Return how many students a set has."""
    return sum(last - first + 1 for first, last in _parse(text))


def _runs(keys: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last key of each run of consecutive keys."""
    first = last = 0
    for key in keys:
        if not last:
            first = last = key
        elif key == last + 1:
            last = key
        else:
            yield first, last
            first = last = key
    if last:
        yield first, last


def _parse(text: str) -> Iterator[tuple[int, int]]:
    """Yield the first and the last key of each run of a set's text."""
    last = 0
    for item in text.split(",") if text else ():
        distance, _, length = item.partition("+")
        first = last + int(distance)
        last = first + int(length or 0)
        yield first, last
