"""Runs ``rollbook mapping``: lists, shows, saves, removes and proposes column mappings."""

import tempfile
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from rollbook.cli import output
from rollbook.cli.audit_log import record
from rollbook.cli.errors import FAILED, OK, CommandError
from rollbook.cli.lookup import get_district
from rollbook.cli.mapping_file import read_mapping
from rollbook.cli.printed_text import add_facts
from rollbook.cli.suggestions import hint
from rollbook.districts.models import District
from rollbook.studentfile.mapping.mapping import MappingDocument
from rollbook.studentfile.mapping.sample import Sample, read_sample
from rollbook.studentfile.reading import encodings, reader
from rollbook.studentfile.reading.conversion.convert import convert
from rollbook.text import format_timestamp
from rollbook.updates.mappings import store
from rollbook.updates.mappings.models import ColumnMapping
from rollbook.updates.mappings.proposals import propose_for
from rollbook.validation import ValidationFailed


def list_mappings(arguments: Namespace) -> int:
    """Print the mappings of a district."""
    district = get_district(arguments.district)
    stored = store.find_all(district.pk)
    if arguments.json:
        print(output.to_json([_as_json(each) for each in stored]))
    elif stored:
        rows = [(each.name, str(each.version), _saved(each, district)) for each in stored]
        print("\n".join(output.table(("name", "version", "saved"), rows)))
    else:
        print(f"{district.name} has no column mappings.")
    return OK


def show(arguments: Namespace) -> int:
    """Print a mapping."""
    district = get_district(arguments.district)
    found = store.find(district.pk, arguments.name, arguments.version)
    mapping = found.mapping if found else None
    if found is None or mapping is None:
        raise _no_such_mapping(district, arguments.name, arguments.version)
    if arguments.json:
        print(output.to_json(mapping.as_json()))
        return OK
    print(f"{mapping.label}, saved {_saved(found, district)}\n")
    print("\n".join(describe(mapping)))
    return OK


def save(arguments: Namespace) -> int:
    """Save a new version of a mapping."""
    district = get_district(arguments.district)
    mapping = read_mapping(arguments.file)
    try:
        with transaction.atomic():
            saved = store.save(district, mapping, None, timezone.now())
            if saved:
                record("mapping save", district, f"{saved.name}, version {saved.version}")
    except ValidationFailed as failed:
        raise CommandError("too_many_mappings", f"{failed}; nothing was changed") from None
    if saved is None:
        print(f"{district.name} has this mapping already; nothing was changed.")
    else:
        add_facts(arguments, name=saved.name, version=saved.version)
        print(f"Saved {saved.name}, version {saved.version}, for {district.name}.")
    return OK


def remove(arguments: Namespace) -> int:
    """Remove a mapping."""
    district = get_district(arguments.district)
    with transaction.atomic():
        removed = store.remove(district, arguments.name, None, timezone.now())
        if removed:
            record("mapping remove", district, removed.name)
    if removed is None:
        raise _no_such_mapping(district, arguments.name)
    add_facts(arguments, name=removed.name)
    print(f"Removed {removed.name}; it applies to no file of {district.name} anymore.")
    return OK


def propose(arguments: Namespace) -> int:
    """Print a proposed mapping as JSON."""
    district = get_district(arguments.district)
    sample = _sample(arguments.file, district)
    proposal = propose_for(district, sample) if sample else None
    if proposal is None:
        raise CommandError(
            "nothing_to_propose",
            f"{arguments.file}: no column was found that identifies students; write a mapping as "
            "described in docs/column-mapping.md",
            FAILED,
        )
    print(output.to_json(proposal.mapping.as_json()))
    return OK


def describe(mapping: MappingDocument) -> Iterator[str]:
    """Yield a line for each column and condition."""
    rows = [
        (each.column, " + ".join(each.names) or "-", ", ".join(map(str, each.steps)))
        for each in mapping.sources
    ]
    yield from output.table(("column", "from", "steps"), rows)
    for condition in mapping.keep:
        yield f"only rows in which {condition}"
    if mapping.ignored:
        yield f"ignored: {', '.join(mapping.ignored)}"


def _sample(path: Path, district: District) -> Sample | None:
    with tempfile.NamedTemporaryFile(prefix="rollbook-", suffix=".csv") as converted:
        conversion = convert(
            path, encoding=district.encoding, limits=reader.Limits(), write=converted.write
        )
        if conversion.refusal:
            raise CommandError(conversion.refusal.code, f"{path}: {conversion.refusal.message}")
        if conversion.is_converted:
            converted.flush()
            return read_sample(Path(converted.name), encodings.UTF_8)
        with path.open("rb") as file:
            head = file.read(1 << 16)
        return read_sample(path, encodings.detect_encoding(head, district.encoding))


def _saved(stored: ColumnMapping, district: District) -> str:
    by = stored.member.email if stored.member else "the Rollbook administrator"
    return f"{format_timestamp(stored.created_at, district.time_zone)} by {by}"


def _as_json(stored: ColumnMapping) -> dict[str, object]:
    return {"name": stored.name, "version": stored.version, "saved_at": stored.created_at}


def _no_such_mapping(district: District, name: str, version: int | None = None) -> CommandError:
    what = f"'{name}'" if version is None else f"'{name}' with a version {version}"
    otherwise = f"`rollbook mapping list {district.slug}` lists those that it has"
    suggestion = otherwise
    if version is None:
        suggestion = hint(name, (each.name for each in store.find_all(district.pk)), otherwise)
    return CommandError(
        "no_such_mapping", f"{district.name} has no column mapping {what}; {suggestion}"
    )
