"""Read a column mapping from a file, for the commands that take one."""

from pathlib import Path

from rollbook.cli.errors import USAGE, CommandError
from rollbook.studentfile.mapping.errors import InvalidMapping
from rollbook.studentfile.mapping.mapping import MappingDocument
from rollbook.studentfile.mapping.sizes import MAX_DOCUMENT_BYTES


def read_mapping(path: Path) -> MappingDocument:
    """Return the mapping that a file in JSON contains.

    Raises:
        CommandError: It isn't one; all its errors are in the text.
        OSError: The file can't be read.
    """
    with path.open("rb") as file:
        content = file.read(MAX_DOCUMENT_BYTES + 1)
    try:
        return MappingDocument.from_text(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        text = f"{path}: the document isn't in UTF-8; save it in that encoding"
        raise CommandError("bad_mapping", text, USAGE) from None
    except InvalidMapping as invalid:
        raise CommandError("bad_mapping", f"{path}: {invalid}", USAGE) from None
