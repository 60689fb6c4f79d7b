"""A case, from its .toml file to the bytes that are sent and the answer that is expected.

number, title                      what it is
file                               the name it is sent under ("students.csv")
lines, ends, written_in            its text; how lines end ("\\n", also behind the last); its encoding ("utf-8")
hex | base64 | pieces              or its bytes; a piece is {text|hex, times}
[settings] encoding, limits        what the district and the operator have set
[expect] refused, status, line     the file is refused with this code
[expect] accepted, rejected, warnings
                                   or the lines that are fine, [line, code] of every error in a row, and [line, code]
                                   of every warning in rows and file (line 0: the warning has none)
"""

import base64
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

Finding = tuple[int, str]


@dataclass(frozen=True)
class Case:
    """One upload and its answer. `accepted`, `rejected` and `warnings` are empty if the file is refused."""

    path: Path
    number: str
    title: str
    file_name: str
    content: bytes
    encoding: str = "utf-8"
    limits: dict[str, int] = field(default_factory=dict)
    refused: str | None = None
    status: int = 200
    line: int | None = None
    accepted: tuple[int, ...] = ()
    rejected: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()

    def __str__(self) -> str:
        return f"{self.number} {self.title}"


def all_cases() -> list[Case]:
    """Every case, in the order of the catalogue."""
    return [load(path) for path in sorted(HERE.glob("*/*.toml"))]


def load(path: Path) -> Case:
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    settings, expect = told.get("settings", {}), told["expect"]
    return Case(
        path,
        told["number"],
        told["title"],
        told.get("file", "students.csv"),
        _content(told),
        settings.get("encoding", "utf-8"),
        settings.get("limits", {}),
        expect.get("refused"),
        expect.get("status", 422 if "refused" in expect else 200),
        expect.get("line"),
        tuple(expect.get("accepted", ())),
        _findings(expect.get("rejected", ())),
        _findings(expect.get("warnings", ())),
    )


def _findings(told: Any) -> tuple[Finding, ...]:
    return tuple((line, code) for line, code in told)


def _content(told: dict[str, Any]) -> bytes:
    if "hex" in told:
        return bytes.fromhex(told["hex"])
    if "base64" in told:
        return base64.b64decode(told["base64"])
    encoding = told.get("written_in", "utf-8")
    if "pieces" in told:
        return b"".join(_piece(piece, encoding) * piece.get("times", 1) for piece in told["pieces"])
    ends = told.get("ends", "\n")
    text: str = ends.join(told["lines"]) + ends
    return text.encode(encoding)


def _piece(piece: dict[str, Any], encoding: str) -> bytes:
    if "hex" in piece:
        return bytes.fromhex(piece["hex"])
    text: str = piece["text"]
    return text.encode(encoding)
