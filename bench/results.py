"""What was measured, every single figure of it, and the file it is kept in."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Figures:
    """Several measurements of one value, with their median and range."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The one in the middle."""
        return median(self.values)

    @property
    def least(self) -> float:
        """The smallest."""
        return min(self.values)

    @property
    def most(self) -> float:
        """The largest."""
        return max(self.values)


@dataclass
class Results:
    """The machine and the records: flat dicts with ``kind`` and what identifies the record.

    A record of the kind ``timing`` has database, work, who, rows, run, seconds.
    """

    machine: dict[str, Any] = field(default_factory=dict)
    plan: dict[str, Any] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)

    def add(self, kind: str, **facts: Any) -> None:
        """One more record."""
        self.records.append({"kind": kind, **facts})

    def find(self, kind: str, **facts: Any) -> list[dict[str, Any]]:
        """All records of the kind that say this."""
        wanted = {"kind": kind, **facts}
        return [
            record
            for record in self.records
            if all(record.get(key) == value for key, value in wanted.items())
        ]

    def figures(self, key: str, kind: str, **facts: Any) -> Figures | None:
        """What these records say under ``key``; None if there are none."""
        found = tuple(
            record[key] for record in self.find(kind, **facts) if record.get(key) is not None
        )
        return Figures(found) if found else None

    def values(self, key: str, kind: str, **facts: Any) -> list[Any]:
        """The different values these records have under ``key``, ascending."""
        return sorted({record[key] for record in self.find(kind, **facts) if key in record})

    def save(self, path: Path) -> None:
        """Write the file, or replace it."""
        records = ",\n  ".join(json.dumps(record) for record in self.records)
        head = {"machine": self.machine, "plan": self.plan}
        text = json.dumps(head, indent=1)[:-2] + f',\n "records": [\n  {records}\n ]\n}}\n'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Results":
        """Read the file again."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))
