"""Rules for first names, last names and middle initials."""

from unicodedata import normalize

from rollbook.format.screening import Answer, Fault, Noted, fault_of_text, fault_of_value, noted_if_odd

LONGEST_NAME = 100
MAYBE_NAMES = frozenset({"null", "none", "nan", "na", "nil"})
"""Names of real people that are also what exports write for no value."""


def name(text: str) -> Answer:
    """1 to 100 characters of any script, in NFC, at least one letter; runs of blanks become one blank."""
    if text.casefold() in MAYBE_NAMES:
        return Noted(text, "possible_placeholder")
    fault = fault_of_value(text)
    if fault:
        return fault
    joined = normalize("NFC", " ".join(text.split()))
    if len(joined) > LONGEST_NAME or not any(map(str.isalpha, joined)):
        return Fault("bad_name")
    return noted_if_odd(joined)


def middle_initial(text: str) -> Answer:
    """One letter, in upper case; a full stop behind it is dropped."""
    fault = fault_of_value(text)
    if fault:
        return fault
    answer = noted_if_odd(text.removesuffix("."))
    letter = answer if isinstance(answer, str) else answer.value
    upper = letter.upper()
    if len(letter) != 1 or not letter.isalpha() or fault_of_text(letter):
        return Fault("bad_initial")
    return upper if len(upper) == 1 else letter
