"""The process that reads a workbook, whose compiled reader ends the process if memory runs out.

``workbooks.py`` starts it with one argument, a JSON list of the path and the limits. If the file is
encrypted, its ID follows, and stdin contains its key. It writes the problems as one line of JSON to
stdout, and then the sheet as CSV. The CSV is complete only if the exit code is 0.
"""

import json
import os
import resource
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from rollbook.encrypted_file import EncryptedFile

from rollbook import core_dumps

MAX_MEMORY_BYTES = 1 << 30
MAX_CPU_S = 120


def main() -> None:
    """Convert one workbook."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_S, MAX_CPU_S))
    core_dumps.protect_memory()
    # Only now, so that the limits are in force when the libraries run.
    from rollbook.studentfile.limits import Limits
    from rollbook.studentfile.problems.problem import Problem
    from rollbook.studentfile.reading.conversion import sheet_csv
    from rollbook.studentfile.reading.conversion.sheet_facts import WorkbookRefused

    name, limits, *file_id = json.loads(sys.argv[1])
    source = _source(Path(name), *file_id)
    chunks: Iterator[bytes] = iter(())
    first = b""
    try:
        facts, problems = sheet_csv.choose_sheet(source, Limits(**limits))
        if facts:
            chunks = sheet_csv.csv_chunks(source, facts)
        first = next(chunks, b"")
    except WorkbookRefused as refused:
        problems = [refused.problem]
    except MemoryError:
        problems = [Problem("workbook_too_large")]
    except BaseException:  # a panic of the compiled reader isn't an Exception
        problems = [Problem("workbook_damaged")]
    with os.fdopen(1, "wb", closefd=False) as output:
        output.write(json.dumps([asdict(problem) for problem in problems]).encode() + b"\n")
        output.write(first)
        try:
            output.writelines(chunks)
        except MemoryError:
            os.abort()  # as the compiled reader does


def _source(path: Path, file_id: str = "") -> "Path | EncryptedFile":
    """Return what the workbook is read from; nothing decrypted is ever written to a disk."""
    if not file_id:
        return path
    from rollbook.encrypted_file import EncryptedFile

    return EncryptedFile(path, UUID(file_id), sys.stdin.buffer.read())


if __name__ == "__main__":
    main()
