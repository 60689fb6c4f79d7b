"""Load the files from the field: what people really send, and what must hold afterward.

A case is ``NN-name.csv`` in ``tests/data/field``, and ``NN-name.toml`` beside it:

mode, encoding                    form fields
file_name, file_name_encoding     how the client names the file, and how it encodes the name
password_with_mark                whether a byte order mark and a line break enclose the password
checks                            what must hold, see ``checks.py``

``relatives-*.toml`` have several smaller cases of one kind, with a name and a content each:

[[case]] name                     its name
text, written_in                  its text and encoding ("utf-8")
hex                               or its bytes
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "data" / "field"
BASE, SCHOOLS = FOLDER / "00-base.csv", FOLDER / "00-schools.csv"


@dataclass(frozen=True)
class FieldCase:
    """One file from the field.

    Attributes:
        name: Its number and name.
        content: The bytes of the file.
        checks: What must hold, in order.
        fields: Form fields besides the file and the sign-in.
        file_name: The bytes of the client's name for the file.
        password_with_mark: Whether the password is sent as some editors save it.
    """

    name: str
    content: bytes
    checks: tuple[str, ...]
    fields: tuple[tuple[str, str], ...] = ()
    file_name: bytes = b"students.csv"
    password_with_mark: bool = False

    def __str__(self) -> str:
        return self.name


def all_cases() -> list[FieldCase]:
    """Return all cases in order."""
    cases: list[FieldCase] = []
    for path in sorted(FOLDER.glob("*.toml")):
        definition = tomllib.loads(path.read_text(encoding="utf-8"))
        if "case" in definition:
            kind = path.stem.removeprefix("relatives-")
            cases += [
                _case(f"{kind}: {case['name']}", case, _content(case))
                for case in definition["case"]
            ]
        else:
            cases.append(_case(path.stem, definition, path.with_suffix(".csv").read_bytes()))
    return cases


def _case(name: str, definition: Mapping[str, Any], content: bytes) -> FieldCase:
    fields = [(field, definition[field]) for field in ("mode", "encoding") if field in definition]
    file_name = definition.get("file_name", "students.csv")
    return FieldCase(
        name,
        content,
        tuple(definition["checks"]),
        tuple(fields),
        file_name.encode(definition.get("file_name_encoding", "utf-8")),
        definition.get("password_with_mark", False),
    )


def _content(case: Mapping[str, Any]) -> bytes:
    if "hex" in case:
        return bytes.fromhex(case["hex"])
    text: str = case["text"]
    return text.encode(case.get("written_in", "utf-8"))
