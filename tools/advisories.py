"""Reads advisories from a copy of the PyPA advisory database, without the network.

The copy is a folder like a checkout of ``pypa/advisory-database``: ``vulns/NAME/PYSEC-….yaml``,
each of them in the OSV format. ``tools/audit.py`` uses it when pip-audit can't be asked. What an
advisory leaves open counts as affected: a vulnerability can be accepted with a reason, a missing
one can't be seen.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from packaging.version import InvalidVersion, Version

from tools.sbom import canonical

_DAY = re.compile(r"^(?:published|modified): *['\"]?(\d{4}-\d\d-\d\d)", re.MULTILINE)
_BEFORE_ALL = ("introduced", "0")
# At the same version, a range that starts again comes last.
_ORDER = ("last_affected", "fixed", "introduced")


class UnreadableAdvisory(Exception):
    """An advisory, or the whole folder, isn't in the format; the text says which."""


@dataclass(frozen=True, slots=True)
class Advisories:
    """What a copy of the database says about some packages.

    Attributes:
        count: How many advisories there are about them, whichever versions they affect. Withdrawn
            ones don't count.
        newest: The last day on which an advisory in the copy, about any package, was published or
            changed.
        packages: For each package, such as ``django==5.2.19``, the IDs of the advisories that
            affect this version, and the later versions that fix it.
    """

    count: int
    newest: date
    packages: Mapping[str, Mapping[str, Sequence[str]]]


def read(folder: Path, locked: Iterable[str]) -> Advisories:
    """Return what the copy says. A package without a folder of its own has no advisory.

    Args:
        folder: The copy.
        locked: The packages, such as ``django==5.2.19``.

    Raises:
        UnreadableAdvisory: Something can't be read. No advisory about the packages is left out.
    """
    files = sorted((folder / "vulns").glob("*/*.yaml"))
    days = [day for file in files for day in _DAY.findall(file.read_text(encoding="utf-8"))]
    if not days:
        raise UnreadableAdvisory(f"{folder} has no advisories in vulns/NAME/")
    packages: dict[str, dict[str, list[str]]] = {package: {} for package in locked}
    names = {package.partition("==")[0] for package in packages}
    count = 0
    for file in files:
        if canonical(file.parent.name) in names:
            advisory = _load(file)
            count += not _is_withdrawn(advisory)
            _add(packages, advisory, file)
    return Advisories(count, date.fromisoformat(max(days)), packages)


def fixes(advisory: Mapping[str, Any], name: str, pinned: str) -> list[str] | None:
    """Return the later versions that fix an advisory; None if the version isn't affected.

    Args:
        advisory: In the OSV format, with all numbers as text.
        name: The canonical name of the package.
        pinned: Its version.

    Raises:
        KeyError: Something is missing.
        ValueError: Something has another form, such as a version of a range.
    """
    if _is_withdrawn(advisory):
        return None
    version = Version(pinned)
    is_affected, fixed = False, set()
    for affected in advisory["affected"]:
        package = affected["package"]
        if package["ecosystem"] == "PyPI" and canonical(package["name"]) == name:
            ranges = list(_ranges(affected))
            is_affected |= _concerns(version, ranges, affected.get("versions") or ())
            fixed |= {
                Version(number) for events in ranges for kind, number in events if kind == "fixed"
            }
    if not is_affected:
        return None
    return [str(number) for number in sorted(fixed) if number > version]


def _load(file: Path) -> Mapping[str, Any]:
    """Return an advisory. Its numbers stay text: as a number, version 3.10 would be 3.1."""
    try:
        advisory = yaml.BaseLoader(file.read_text(encoding="utf-8")).get_single_data()
    except yaml.YAMLError:
        advisory = None
    if not isinstance(advisory, dict) or "id" not in advisory:
        raise UnreadableAdvisory(f"{file} isn't an advisory")
    return advisory


def _add(
    packages: Mapping[str, dict[str, list[str]]], advisory: Mapping[str, Any], file: Path
) -> None:
    """Add an advisory to the packages of its folder that it affects."""
    for package, found in packages.items():
        name, _, pinned = package.partition("==")
        if name != canonical(file.parent.name):
            continue
        try:
            later = fixes(advisory, name, pinned)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UnreadableAdvisory(f"{file} can't be read: {error}") from error
        if later is not None:
            found[advisory["id"]] = later


def _is_withdrawn(advisory: Mapping[str, Any]) -> bool:
    """Return whether an advisory has been withdrawn."""
    return advisory.get("withdrawn", "") not in ("", "null")


def _ranges(affected: Mapping[str, Any]) -> Iterator[list[tuple[str, str]]]:
    """Yield the sorted events of each range of versions. Ranges of commits have no versions."""
    for versions in affected.get("ranges") or ():
        if versions["type"] == "ECOSYSTEM":
            events = [pair for event in versions["events"] for pair in event.items()]
            if "introduced" not in dict(events):
                events.append(_BEFORE_ALL)
            yield sorted(events, key=_position)
        elif versions["type"] != "GIT":
            raise ValueError(f"unknown type of range: {versions['type']}")


def _position(event: tuple[str, str]) -> tuple[bool, Version, int]:
    """Return where an event stands among those of its range."""
    kind, number = event
    return event != _BEFORE_ALL, Version(number), _ORDER.index(kind)


def _concerns(
    version: Version, ranges: Sequence[Sequence[tuple[str, str]]], listed: Sequence[str]
) -> bool:
    """Return whether a version is listed or in a range, or there is neither list nor range."""
    if any(_is_inside(version, events) for events in ranges):
        return True
    is_open = not ranges and not listed
    return is_open or any(_is_same(version, other) for other in listed)


def _is_inside(version: Version, events: Iterable[tuple[str, str]]) -> bool:
    """Return whether a version is inside a range."""
    inside = False
    for event in events:
        kind, number = event
        limit = Version(number)
        if kind == "introduced":
            inside |= event == _BEFORE_ALL or version >= limit
        elif version > limit or (kind == "fixed" and version == limit):
            inside = False
    return inside


def _is_same(version: Version, other: str) -> bool:
    """Return whether a version is one that an advisory lists; very old ones have other forms."""
    try:
        return version == Version(other)
    except InvalidVersion:
        return False
