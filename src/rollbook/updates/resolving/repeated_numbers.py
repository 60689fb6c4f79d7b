"""Find repeated numbers in a large array with little memory (pure)."""

from array import array
from collections import Counter


def repeated_numbers(numbers: "array[int]") -> set[int]:
    """Return the numbers that occur more than once.

    A first pass marks remainders in one byte each, and only numbers whose remainder occurs more
    than once are counted: a set of all numbers would take much more memory.
    """
    divisor = 8 * len(numbers) + 1
    seen, suspects = bytearray(divisor), set()
    for number in numbers:
        remainder = number % divisor
        if seen[remainder]:
            suspects.add(remainder)
        seen[remainder] = 1
    if not suspects:
        return set()
    counts = Counter(number for number in numbers if number % divisor in suspects)
    return {number for number, count in counts.items() if count > 1}
