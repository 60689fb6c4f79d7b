"""Compare names as people see them, so that no name passes for another one.

Two names look alike if they are the same without case, spaces, accents and punctuation, once the
characters of the Cyrillic and Greek alphabets that have a twin among the Latin ones are replaced
by it, and characters such as 0 and O, or 1, l and I, are one.
"""

import unicodedata

_CYRILLIC = ("АВЕЅІЈКМНОРСТУХԌԚԜӀавеѕіјкмнорстухһԁԛԝӏѵ", "abesijkmhopctyxgqwlabesijkmhopctyxhdqwlv")
_GREEK = ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαεικνορτυχγη", "abezhikmnoptyxaeikvoptuxyn")
_OTHERS = ("ıℓ|01", "illoi")
_TWINS = str.maketrans(_CYRILLIC[0] + _GREEK[0] + _OTHERS[0], _CYRILLIC[1] + _GREEK[1] + _OTHERS[1])
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("i", "l"))


def skeleton(name: str) -> str:
    """Return the form of a name that it has in common with the names that look like it."""
    decomposed = unicodedata.normalize("NFKD", name).translate(_TWINS).casefold()
    form = "".join(filter(str.isalnum, decomposed))
    for pair, twin in _PAIRS:
        form = form.replace(pair, twin)
    return form
