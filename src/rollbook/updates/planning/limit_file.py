"""Read a limits document from a file."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rollbook.text import format_number, printable
from rollbook.updates.planning.limit_document import LimitDocument
from rollbook.updates.planning.limits import InvalidLimits

MAX_BYTES = 262_144
"""More than three times what 20 profiles with every limit take when indented."""


def read_file(path: Path) -> LimitDocument:
    """Return the document that a file in JSON contains.

    Raises:
        InvalidLimits: It isn't one; the text says why and how to fix it.
        OSError: The file can't be read.
    """
    with path.open("rb") as file:
        return read_document(file.read(MAX_BYTES + 1))


def read_document(content: bytes) -> LimitDocument:
    """Return the document of this JSON.

    Raises:
        InvalidLimits: It isn't one; the text says why and how to fix it.
    """
    if len(content) > MAX_BYTES:
        raise InvalidLimits(f"the document has more than {format_number(MAX_BYTES)} bytes")
    return LimitDocument.from_json(_parse(content))


def _parse(content: bytes) -> object:
    try:
        return json.loads(content.decode("utf-8-sig"), object_pairs_hook=_without_repetition)
    except UnicodeDecodeError:
        raise InvalidLimits("the document isn't in UTF-8; save it in that encoding") from None
    except json.JSONDecodeError as error:
        raise InvalidLimits(
            f"line {error.lineno} isn't JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        ) from None
    except RecursionError:
        raise InvalidLimits("the document has too many braces within each other") from None
    except InvalidLimits:
        raise
    except ValueError:  # an integer of thousands of digits
        raise InvalidLimits("a number in the document is too long") from None


def _without_repetition(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidLimits(f"'{printable(twice, 40)}' is there twice in the same braces")
    return values
