"""A column mapping: a named, versioned, immutable value, parsed from and written to JSON.

The format of the document is described in docs/column-mapping.md.
"""

import json
import re
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

from rollbook.studentfile.columns import BY_NAME
from rollbook.studentfile.identifying_columns import can_identify
from rollbook.studentfile.limits import Limits
from rollbook.studentfile.mapping.errors import Errors, InvalidMapping, check_keys
from rollbook.studentfile.mapping.parse_steps import is_text, parse_step
from rollbook.studentfile.mapping.sizes import (
    MAX_CONDITIONS,
    MAX_DOCUMENT_BYTES,
    MAX_NAME_LENGTH,
    MAX_SOURCES,
    MAX_STEPS,
    MAX_VALUES,
)
from rollbook.studentfile.mapping.steps import Constant, Join, Step

FORMAT = 1
"""The format of the documents; another one is refused."""

NO_MAPPING = "none"
"""What is written instead of a name for a file that is to be read without a mapping."""

_NAME = re.compile(rf"[a-z0-9][a-z0-9-]{{0,{MAX_NAME_LENGTH - 1}}}")
_KEYS = ("format", "name", "version", "columns", "keep", "ignore")


@dataclass(frozen=True)
class ColumnSource:
    """Where the values of a Rollbook column come from.

    Attributes:
        column: The name of the Rollbook column.
        names: The file columns; none if the value is constant.
        steps: What is done with their cells, in order.
    """

    column: str
    names: tuple[str, ...]
    steps: tuple[Step, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the source as in the document."""
        steps = [step.as_json() for step in self.steps]
        stored: dict[str, Any] = {"to": self.column, "from": list(self.names)}
        return {**stored, "steps": steps} if steps else stored


@dataclass(frozen=True)
class Condition:
    """A condition on rows: those that don't meet it are skipped.

    Attributes:
        name: The file column.
        values: The values, compared without blanks at their ends and in any case.
        is_negated: Whether the cell must have none of them.
    """

    name: str
    values: tuple[str, ...]
    is_negated: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the condition as in the document."""
        return {"column": self.name, "is_not" if self.is_negated else "is": list(self.values)}

    def __str__(self) -> str:
        values = " or ".join(value or "blank" for value in self.values)
        return f"{self.name} {'is not' if self.is_negated else 'is'} {values}"


@dataclass(frozen=True)
class MappingDocument:
    """How the columns of a file become columns of Rollbook.

    Attributes:
        name: Its name: a-z, 0-9 and hyphens.
        version: The number of its version; 0: it isn't saved.
        sources: Where the values of each Rollbook column come from.
        keep: The conditions of the rows that are read; all of them must be met.
        ignored: File columns that aren't needed, so that nothing is reported about them.
    """

    name: str
    version: int
    sources: tuple[ColumnSource, ...]
    keep: tuple[Condition, ...] = ()
    ignored: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The mapping in words, such as ``powerschool, version 3``."""
        return f"{self.name}, version {self.version}" if self.version else self.name

    @property
    def names(self) -> tuple[str, ...]:
        """The file columns that the mapping reads, each once."""
        read = [name for source in self.sources for name in source.names]
        return tuple(dict.fromkeys([*read, *(condition.name for condition in self.keep)]))

    def as_json(self) -> dict[str, Any]:
        """Return the document that ``from_json`` reads."""
        return {
            "format": FORMAT,
            "name": self.name,
            "version": self.version,
            "columns": [source.as_json() for source in self.sources],
            "keep": [condition.as_json() for condition in self.keep],
            "ignore": list(self.ignored),
        }

    def as_version(self, version: int, name: str = "") -> Self:
        """Return the mapping with another version, and with another name if there is one."""
        return replace(self, version=version, name=name or self.name)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the mapping of a document as text.

        Raises:
            InvalidMapping: It isn't JSON, or the mapping has errors.
        """
        if len(text.encode("utf-8", "surrogatepass")) > MAX_DOCUMENT_BYTES:
            size = f"at most {MAX_DOCUMENT_BYTES:,} bytes are allowed"
            raise InvalidMapping([f"the document: it is too large; {size}"])
        try:
            document = json.loads(text, object_pairs_hook=_without_repeated_keys)
        except InvalidMapping:
            raise
        except (ValueError, RecursionError) as error:
            raise InvalidMapping([f"the document: it isn't valid JSON: {error}"]) from None
        return cls.from_json(document)

    @classmethod
    def from_json(cls, document: object) -> Self:
        """Return the mapping of a document.

        Raises:
            InvalidMapping: It has errors; all of them are in the exception.
        """
        if not isinstance(document, dict):
            raise InvalidMapping(["the document: it must be an object with name and columns"])
        errors = Errors()
        check_keys(document, _KEYS, "the document", errors)
        if document.get("format", FORMAT) != FORMAT:
            errors.add("format", f"only format {FORMAT} can be read")
        mapping = cls(
            _name(document.get("name"), errors),
            _version(document.get("version", 0), errors),
            _sources(document.get("columns"), errors),
            _conditions(document.get("keep", []), errors),
            _ignored(document.get("ignore", []), errors),
        )
        if not errors.found:
            _check_identification(mapping, errors)
        errors.raise_any()
        return mapping


class _Place(NamedTuple):
    """Where something is in a document, and where its errors are added."""

    text: str
    errors: Errors

    def report(self, what: str) -> None:
        self.errors.add(self.text, what)


def _without_repeated_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return an object; one with a repeated key would lose a value."""
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1 and len(keys) <= MAX_VALUES:
            raise InvalidMapping(
                [f"the document: '{key:.40}' appears twice in one object; remove one of both"]
            )
    if len(set(keys)) < len(keys):
        raise InvalidMapping(["the document: a key appears twice in one object; remove one"])
    return dict(pairs)


def is_mapping_name(text: str) -> bool:
    """Return whether a mapping can have this name."""
    return bool(_NAME.fullmatch(text)) and text != NO_MAPPING


def _name(stored: object, errors: Errors) -> str:
    if isinstance(stored, str) and is_mapping_name(stored):
        return stored
    if stored == NO_MAPPING:
        errors.add("name", f"'{NO_MAPPING}' stands for no mapping; use another name")
    else:
        errors.add(
            "name",
            f"use 1 to {MAX_NAME_LENGTH} of a-z, 0-9 and hyphens, such as powerschool",
        )
    return ""


def _version(stored: object, errors: Errors) -> int:
    if isinstance(stored, int) and not isinstance(stored, bool) and 0 <= stored < 1 << 31:
        return stored
    errors.add("version", "it must be a whole number; Rollbook sets it when a mapping is saved")
    return 0


def _sources(stored: object, errors: Errors) -> tuple[ColumnSource, ...]:
    if not isinstance(stored, list) or not 0 < len(stored) <= len(BY_NAME):
        errors.add("columns", f"it must be a list of 1 to {len(BY_NAME)} objects")
        return ()
    sources: dict[str, ColumnSource] = {}
    for index, each in enumerate(stored):
        source = _source(each, f"columns[{index}]", errors)
        if source is None:
            continue
        if source.column in sources:
            errors.add(
                f"columns[{index}] ({source.column})",
                "two entries are mapped to this column; remove one, or join their file columns in "
                "one entry",
            )
        sources.setdefault(source.column, source)
    return tuple(sources.values())


def _source(stored: object, where: str, errors: Errors) -> ColumnSource | None:
    if not isinstance(stored, dict):
        errors.add(where, 'it must be an object such as {"to": "DOB", "from": ["Birth Date"]}')
        return None
    column = stored.get("to")
    if not isinstance(column, str) or column not in BY_NAME:
        errors.add(where, f"'{column!s:.40}' is not a column of Rollbook; use one of its names")
        return None
    place = _Place(f"{where} ({column})", errors)
    check_keys(stored, ("to", "from", "steps"), place.text, errors)
    names, steps = _names(stored.get("from", []), place), _steps(stored.get("steps", []), place)
    if names is None or steps is None:
        return None
    _check_steps(names, steps, place)
    return ColumnSource(column, names, steps)


def _names(stored: object, place: _Place) -> tuple[str, ...] | None:
    names = [stored] if isinstance(stored, str) else stored
    if not isinstance(names, list) or len(names) > MAX_SOURCES or not all(map(is_text, names)):
        place.report(f"from must be a list of at most {MAX_SOURCES} names of file columns")
        return None
    if len(set(names)) < len(names):
        place.report("from names a file column twice; remove one of both")
    return tuple(names)


def _steps(stored: object, place: _Place) -> tuple[Step, ...] | None:
    if not isinstance(stored, list) or len(stored) > MAX_STEPS:
        place.report(f"steps must be a list of at most {MAX_STEPS} steps")
        return None
    steps = [
        parse_step(each, f"{place.text}, steps[{index}]", place.errors)
        for index, each in enumerate(stored)
    ]
    parsed = tuple(filter(None, steps))
    return parsed if len(parsed) == len(steps) else None


def _check_steps(names: tuple[str, ...], steps: tuple[Step, ...], place: _Place) -> None:
    """Report steps that don't fit the number of file columns."""
    first = steps[0] if steps else None
    if any(isinstance(step, Join | Constant) for step in steps[1:]):
        place.report("join and constant can only be the first step; move it to the beginning")
    if not names and not isinstance(first, Constant):
        place.report("it comes from no file column; name one in from, or begin with constant")
    if names and isinstance(first, Constant):
        place.report("constant needs no file column; remove from, or the step")
    if len(names) > 1 and not isinstance(first, Join):
        place.report("it comes from several file columns; begin its steps with join")
    if len(names) == 1 and isinstance(first, Join):
        place.report("join needs at least two file columns; name them in from, or remove the step")


def _conditions(stored: object, errors: Errors) -> tuple[Condition, ...]:
    if not isinstance(stored, list) or len(stored) > MAX_CONDITIONS:
        errors.add("keep", f"it must be a list of at most {MAX_CONDITIONS} conditions")
        return ()
    conditions = (_condition(each, f"keep[{index}]", errors) for index, each in enumerate(stored))
    return tuple(filter(None, conditions))


def _condition(stored: object, place: str, errors: Errors) -> Condition | None:
    if not isinstance(stored, dict) or not is_text(stored.get("column")):
        example = '{"column": "role", "is": ["student"]}'
        errors.add(place, f"a condition is an object such as {example}")
        return None
    name = stored["column"]
    place = f"{place} ({name})"
    check_keys(stored, ("column", "is", "is_not"), place, errors)
    if ("is" in stored) == ("is_not" in stored):
        errors.add(place, "write either is or is_not, with a list of values")
        return None
    is_negated = "is_not" in stored
    values = stored["is_not" if is_negated else "is"]
    if not isinstance(values, list) or not 0 < len(values) <= MAX_VALUES:
        errors.add(place, f"its values must be a list of 1 to {MAX_VALUES} texts")
        return None
    if not all(is_text(value, is_filled=False) for value in values):
        errors.add(place, "each of its values must be a text; an empty one means a blank cell")
        return None
    return Condition(name, tuple(values), is_negated)


def _ignored(stored: object, errors: Errors) -> tuple[str, ...]:
    limit = Limits().columns
    if isinstance(stored, list) and len(stored) <= limit and all(map(is_text, stored)):
        return tuple(stored)
    errors.add("ignore", f"it must be a list of at most {limit} names of file columns")
    return ()


def _check_identification(mapping: MappingDocument, errors: Errors) -> None:
    """Report a mapping whose columns can't identify a student."""
    varying = {source.column for source in mapping.sources if source.names}
    if not can_identify(varying):
        errors.add(
            "columns",
            "nothing identifies a student; map STUDENT_ID, USERNAME, or FIRST_NAME, LAST_NAME and "
            "DOB from file columns",
        )
