"""Show whole numbers as a spreadsheet shows them, such as 123 in the format 00000 as 00123."""

import re
from dataclasses import dataclass

# A bracket is a color or a locale; what stands behind _ and * only takes up space.
_TOKEN = re.compile(
    r'(?P<digit>[0#?])|"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|(?P<plain>[-() ])'
    r"|_.|\*.|\[(?!h|m|s|[<>=])[^\]]*\]|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_DIGIT = "\0"
_ZERO = _DIGIT + "0"
_SECTION = re.compile(r'(?:"[^"]*"|\\.|[^;"\\])*', re.DOTALL)


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """A format that adds zeros or characters to a whole number.

    Attributes:
        tokens: Its digits 0, # and ?, each preceded by NUL, and its other characters.
    """

    tokens: tuple[str, ...]

    @classmethod
    def zeros(cls, count: int) -> "NumberFormat":
        """Return the format that shows at least this many digits."""
        return cls((_ZERO,) * count)

    @classmethod
    def parse(cls, code: str) -> "NumberFormat | None":
        """Return the format, or None if it adds neither zeros nor characters or isn't known."""
        section = _SECTION.match(code)
        tokens: list[str] = []
        for token in _TOKEN.finditer(section[0] if section else ""):
            if token["other"]:
                return None
            if token["digit"]:
                tokens.append(_DIGIT + token["digit"])
            else:
                tokens += token["quoted"] or token["escaped"] or token["plain"] or ""
        digits = list(filter(_is_digit, tokens))
        if not digits or (len(digits) == len(tokens) and digits.count(_ZERO) < 2):
            return None
        return cls(tuple(tokens))

    def show(self, value: float) -> str | None:
        """Return a number as it is shown, or None if it is negative or not a whole number."""
        if value < 0 or value != int(value):
            return None
        digits = str(int(value))
        places = sum(map(_is_digit, self.tokens))
        shown = digits[:-places]  # more digits than places are all shown before the first place
        padded = digits[-places:].rjust(places)
        rest = iter(padded)
        is_first = True
        text = ""
        for token in self.tokens:
            if not _is_digit(token):
                text += token
                continue
            if is_first:
                text += shown
                is_first = False
            digit = next(rest)
            if digit != " ":
                text += digit
            elif token == _ZERO:
                text += "0"
        return text


def _is_digit(token: str) -> bool:
    return token[0] == _DIGIT


def plain_number(value: float) -> str:
    """Return a number without an exponent, and a whole number without decimal places."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    text = repr(float(f"{value:.15g}"))  # spreadsheets show no more digits
    if "e" not in text:
        return text.removesuffix(".0")
    return _without_exponent(text)


def _without_exponent(text: str) -> str:
    """Return the same digits, with zeros in place of those that the number doesn't have."""
    digits, _, exponent = text.partition("e")
    sign = "-" if digits.startswith("-") else ""
    whole, _, decimals = digits.removeprefix("-").partition(".")
    point = len(whole) + int(exponent)
    if point <= 0:
        return f"{sign}0.{'0' * -point}{whole}{decimals}"
    all_digits = (whole + decimals).ljust(point, "0")
    return f"{sign}{all_digits[:point]}" + (f".{all_digits[point:]}" if all_digits[point:] else "")
