"""The README of the archive: what is in it, with columns, counts and digests."""

from collections.abc import Iterator, Mapping
from typing import Any

_INTRODUCTION = """\
Export of {name} ({short_name})

Written by Rollbook {rollbook} at {exported_at}, from the data at one moment. It is everything that
Rollbook has stored about the district and its students, confidential information included: keep it
as safe as the student records themselves.

Not included, because they are secrets or tell nothing about the district: passwords of students
and staff members in any form, sessions, tokens, codes of two-step verification, and drafts of
files that were not applied. Uploaded files are included without their columns of passwords.

Each table is here twice: as CSV (UTF-8, CRLF, every cell in quotation marks; a ' is put before a
cell that a spreadsheet could take for a formula) and as JSON lines (one object per line). In CSV,
several values in one cell are separated by "; ". Times are in UTC. manifest.json has the same facts
as this text for programs. To verify a file, compare its SHA-256, for example with sha256sum.

"""


def lines(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of the README for this manifest."""
    yield _INTRODUCTION.format(**{**manifest, **manifest["district"]})
    for table in manifest["tables"]:
        yield from _table_lines(table)
    yield "UPLOADED FILES\n\n"
    for entry in manifest["files"]:
        yield _file_line(entry)
    for left_out in manifest["files_left_out"]:
        yield f"  Update {left_out['update']}: not included; {left_out['reason']}.\n"
    if not (manifest["files"] or manifest["files_left_out"]):
        yield "  None is stored.\n"


def _table_lines(table: Mapping[str, Any]) -> Iterator[str]:
    yield f"{table['name'].upper()}: {table['rows']:,} rows\n{table['about']}\n\n"
    width = max(len(column["name"]) for column in table["columns"])
    for column in table["columns"]:
        yield f"  {column['name']:<{width}}  {column['about']}\n"
    yield "\n"
    for entry in table["files"]:
        yield _file_line(entry)
    yield "\n"


def _file_line(entry: Mapping[str, Any]) -> str:
    return f"  {entry['file']}  {entry['bytes']:,} bytes\n    SHA-256 {entry['sha256']}\n"
