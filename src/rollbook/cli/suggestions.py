"""Suggest what a mistyped word most likely means."""

from collections.abc import Iterable
from difflib import get_close_matches

MIN_SIMILARITY = 0.6
"""How similar a word must be to be suggested, as for ``difflib.get_close_matches``."""


def closest(word: str, known: Iterable[str], min_similarity: float = MIN_SIMILARITY) -> str | None:
    """Return the known word that is most similar in any case, or None."""
    by_folded = {name.casefold(): name for name in known}
    matches = get_close_matches(word.casefold(), by_folded, n=1, cutoff=min_similarity)
    return by_folded[matches[0]] if matches else None


def hint(
    word: str, known: Iterable[str], otherwise: str, min_similarity: float = MIN_SIMILARITY
) -> str:
    """Return ``did you mean ...?`` with the most similar known word.

    Args:
        word: The mistyped word.
        known: The words to choose from.
        otherwise: What to return if none is similar.
        min_similarity: How similar it must be, from 0 to 1.
    """
    match = closest(word, known, min_similarity)
    return f"did you mean {match}?" if match else otherwise
